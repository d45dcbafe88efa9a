"""The one class of expected refusals, from which every room derives its own."""


class Refused(Exception):
    """A rule of the bank refuses the action; the message is fit to show to staff."""

    code = "refused"
