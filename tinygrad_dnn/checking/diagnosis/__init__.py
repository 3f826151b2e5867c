"""Diagnosis: what is wrong with a wrong gradient, and which equation is at fault.

forward, reading, inference   what the network is, from values or from its cost
terms, equation               its backward equations
hypotheses, whole             what people do wrong: the table
blame, words                  the explanation with the fewest mistakes, and how it is said
"""
