"""The numpy half of the forecasts: no I/O, no clock, no randomness.

A backtest of any series, for example of one that is labelled elsewhere::

    from forecasts.core.backtest import backtest
    from forecasts.core.panel import Panel
    from forecasts.core.spec import Spec

    panel = Panel.of(values, step_s=3600, start_s=1_446_307_200)   # [series, steps], NaN = gap
    result = backtest(panel, Spec(step_s=3600, leads=(1, 3, 6, 24)), first=40 * 24)
    result.table()          # per lead: MAE, MAE of both naives, MASE, pinball, coverage 80 and 95
    result.quantiles        # [series, origins, leads, 5]: 2.5, 10, 50, 90 and 97.5 %
    result.residuals(0)     # truth less median, of the first lead: [series, origins]

Nothing at or before an origin is changed by what comes after it (tests/forecasts/test_causality).
"""
