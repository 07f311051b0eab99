"""Survival, ranks and effect sizes. Each function says what it computes; ci/test_bench_fuzz.py holds
them against values that are known."""

import math


def kaplan_meier(times, seen):
    """Steps (time, share that has not happened yet) of times of which some are only known to be
    later (`seen` false). Kaplan and Meier 1958."""
    steps, left, share = [(0.0, 1.0)], len(times), 1.0
    for t in sorted(set(times)):
        happened = sum(1 for x, s in zip(times, seen) if x == t and s)
        if happened:
            share *= 1 - happened / left
            steps.append((t, share))
        left -= sum(1 for x in times if x == t)
    return steps


def restricted_mean(steps, until):
    """The area below the steps: the mean time to the event, counting `until` where it is later."""
    area, (at, share) = 0.0, steps[0]
    for t, next_share in steps[1:]:
        if t >= until:
            break
        area += (t - at) * share
        at, share = t, next_share
    return area + max(0.0, until - at) * share


def ranks(values):
    """From 1 up; equal values share the mean of theirs."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    out, i = [0.0] * len(values), 0
    while i < len(order):
        k = i
        while k + 1 < len(order) and values[order[k + 1]] == values[order[i]]:
            k += 1
        for j in order[i:k + 1]:
            out[j] = (i + k) / 2 + 1
        i = k + 1
    return out


EXACT = 50  # values in all, up to which every way to divide them is counted


def mann_whitney(x, y):
    """(U of x, two-sided p). Exact for few values, ties included: the share of the ways to divide the
    ranks that are as far from the middle; else by the normal distribution, corrected for ties and
    continuity. Mann and Whitney 1947."""
    n, m = len(x), len(y)
    if n == 0 or m == 0:
        return 0.0, 1.0
    r = ranks(list(x) + list(y))
    u = sum(r[:n]) - n * (n + 1) / 2
    middle = n * m / 2
    if n + m <= EXACT:
        # ways[k][s]: k of the values have doubled ranks that add up to s.
        ways = [{} for _ in range(n + 1)]
        ways[0][0] = 1
        for rank in (round(2 * v) for v in r):
            for k in range(n - 1, -1, -1):
                for s, count in ways[k].items():
                    ways[k + 1][s + rank] = ways[k + 1].get(s + rank, 0) + count
        center, far = n * (n + m + 1), abs(2 * sum(r[:n]) - n * (n + m + 1))
        extreme = sum(c for s, c in ways[n].items() if abs(s - center) >= far - 1e-9)
        return u, min(1.0, extreme / sum(ways[n].values()))
    total = n + m
    ties = sum(r.count(v) ** 3 - r.count(v) for v in set(r))
    variance = n * m / 12 * ((total + 1) - ties / (total * (total - 1)))
    if variance <= 0:
        return u, 1.0
    z = max(0.0, abs(u - middle) - 0.5) / math.sqrt(variance)
    return u, math.erfc(z / math.sqrt(2))


def holm(ps):
    """Adjusted p of a family of tests, in the same order. Holm 1979."""
    order, out, worst = sorted(range(len(ps)), key=lambda i: ps[i]), [0.0] * len(ps), 0.0
    for k, i in enumerate(order):
        worst = max(worst, min(1.0, (len(ps) - k) * ps[i]))
        out[i] = worst
    return out


def a12(x, y, z=1.959964):
    """(A, low, high): how likely a value of x is above one of y, ties counting half (Vargha and
    Delaney 2000), with a 95% interval (Newcombe 2006, method 5), which has a width even where all
    values of one are above all of the other."""
    n, m = len(x), len(y)
    if n == 0 or m == 0:
        return 0.5, 0.0, 1.0
    a = sum((p > q) + 0.5 * (p == q) for p in x for q in y) / (n * m)
    half = (n + m) / 2 - 1

    def beyond(theta):
        """More than z standard errors from a?"""
        variance = theta * (1 - theta) * (
            1 + half * ((1 - theta) / (2 - theta) + theta / (1 + theta))) / (n * m)
        return abs(a - theta) > z * math.sqrt(max(variance, 0.0))

    def edge(outside, inside):
        if not beyond(outside):
            return outside
        for _ in range(60):
            middle = (outside + inside) / 2
            outside, inside = (middle, inside) if beyond(middle) else (outside, middle)
        return inside

    return a, edge(0.0, a), edge(1.0, a)


def median(values):
    s = sorted(values)
    n = len(s)
    return None if n == 0 else s[n // 2] if n % 2 else (s[n // 2 - 1] + s[n // 2]) / 2
