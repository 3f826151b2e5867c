"""Diagnosis: what is wrong with a wrong gradient, and which equation is at fault.

forward, activations          what is known of the network
recorded, reach               the engine's record of the cost: what is network in it, what loss
polynomial, cone              what a value in it is a function of
names, wiring, legend         the steps of the forward pass, what they are called and are
sources, between, reading     without a record: it is read from values that were tapped
chain, inference              or found out from the cost alone
ending                        its output, from dZ[L]
terms, losses, equation       its backward equations
hypotheses, whole, factor     what people do wrong: the tables
faults, sums                  the mistakes in one equation, and in a sum of contributions
story, group, blame           the explanation with the fewest mistakes
words                         how it is said
"""
