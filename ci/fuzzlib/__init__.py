"""What ci/fuzz, ci/triage and ci/cover are made of. A page an idea:

    layout      where things lie in the checkout, and which targets there are
    build       ci/setup, the presets, the versions of the tools
    process     a child that can be watched and always comes to an end
    engines     one run of a target under libFuzzer or AFL++, and how to read what they say
    floors      what a run must reach, or it has tested nothing
    properties  sipws-props, and sipws-diff over the seeds
    schedule    dividing the seconds over runs and cores
    runner      keeping the cores busy until the time is over
    corpus      the working corpora: gathering, merging, saving
    triage      a folder of findings: replayed, in buckets, made small
    findings    telling findings apart, making them small, the command that replays one
    coverage    llvm-cov
    screen      the live table
    plot        curves and bars as SVG
    report      build/report/index.html and report.json

Only the standard library of Python, from 3.9 on.
"""
