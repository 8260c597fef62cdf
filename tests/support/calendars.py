"""iCalendar files for tests."""

BEGIN = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Example//EN")
WEEKLY = (
    "UID:spin@example.com",
    "SUMMARY:Spin",
    "DTSTART;TZID=Europe/London:20270301T181500",
    "DTEND;TZID=Europe/London:20270301T190000",
    "RRULE:FREQ=WEEKLY;BYDAY=MO,WE",
)
SINGLE = ("UID:fete@example.com", "SUMMARY:Fete", "DTSTART:20270605T130000Z", "DURATION:PT2H")


def calendar(*events: tuple[str, ...]) -> bytes:
    """Return a calendar with events of these lines. The first event begins in line 4."""
    blocks = [("BEGIN:VEVENT", *event, "END:VEVENT") for event in events]
    return "\r\n".join([*BEGIN, *(line for block in blocks for line in block), "END:VCALENDAR", ""]).encode()


def changed(event: tuple[str, ...], **lines: str) -> tuple[str, ...]:
    """Return an event with other lines. Each replaces the property of its name; an empty one removes the property."""
    names = {name.upper().replace("_", "-") for name in lines}
    kept = [line for line in event if line.split(":")[0].split(";")[0] not in names]
    return (*kept, *(line for line in lines.values() if line))
