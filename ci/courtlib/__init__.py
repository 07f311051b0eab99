"""What ci/court is made of:

    ask         runs sipws-diff; its lines, and what sipws explains of errors
    facts       of these lines: peers, clusters with a cell for each peer, witnesses, coalitions
    page        the facts, court.css and court.js in one file of HTML

Only the standard library of Python, from 3.9 on.
"""
