"""The interactive page of a picture; ``build.page_of`` makes it."""
