"""What is said of runs that go on, and of what they would send twice, wherever that is begun."""

from flask_babel import ngettext


def going_on(count: int) -> str:
    """So many runs were taken up."""
    return str(ngettext("%(num)d run goes on.", "%(num)d runs go on.", count))


def second_time(count: int) -> str:
    """So many messages would arrive twice."""
    return str(
        ngettext("%(num)d message would go out a second time.", "%(num)d messages would go out a second time.", count)
    )
