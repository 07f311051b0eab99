"""What ci/bench-fuzz is made of.

stats   survival, ranks and effect sizes, by hand
trials  configurations, one trial of each, and what its diary says
job     ci/fuzz itself, watched: which plants it would find
judge   which inputs make an oracle fail once the plant is on
page    the report
"""
