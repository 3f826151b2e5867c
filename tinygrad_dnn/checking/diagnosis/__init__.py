"""Diagnosis: what is wrong with a wrong gradient, and which equation is at fault.

forward                       what is known of the network
sources, between, reading     it is read from values that were tapped
chain, inference              it is found out from the cost alone
ending                        its output, from dZ[L]
terms, losses, equation       its backward equations
hypotheses, whole, factor     what people do wrong: the tables
faults                        the mistakes in one equation
story, group, blame           the explanation with the fewest mistakes
words                         how it is said
"""
