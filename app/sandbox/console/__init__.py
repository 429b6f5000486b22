"""The page for people at /_sandbox/: everything is seen there, and everything can be pressed.

Its buttons send what a program would send to the controls.
"""
