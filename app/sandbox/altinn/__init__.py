"""Altinn's platform as service owners meet it: rights looked up, decided on and asked for.

Checks come in Altinn's order, and answers are spelt as Altinn spells them, oddities included.
"""
