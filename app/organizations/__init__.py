"""Organizations: who a client acts for, by organization number.

The number alone decides nothing: that it is well formed is a rule, that the organization exists
and is a main unit is Enhetsregisteret's word, kept for a while with its age. A register that is
down must never stop what needs it; nor may it be asked about a person.
"""
