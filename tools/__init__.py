"""Tools of the project: they measure the corpus and the reference, and are not installed.

`miniatures` and `mutation` are wrong clients that the corpus must find; `differential` compares the
reference with a live Python 2.7.  Tools may import everything; nothing that is installed imports
them.
"""
