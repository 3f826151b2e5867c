"""Diagnosis: what is wrong with a wrong gradient, and which equation is at fault.

forward, reading, inference   what the network is, from values or from its cost
terms, equation               its backward equations
hypotheses, whole, factor     what people do wrong: the tables
faults                        the mistakes in one equation
story, group, blame           the explanation with the fewest mistakes
words                         how it is said
"""
