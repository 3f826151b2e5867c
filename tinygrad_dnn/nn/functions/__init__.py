"""What layers apply, as functions of arrays: with their parameters as arguments and no state.

They check the shapes they are given; a layer calls them under its own name.
"""
