"""From files to training data: records of published formats.

>>> import pathlib, tempfile
>>> from tinsmith import data
>>> with tempfile.TemporaryDirectory() as folder:
...     path = pathlib.Path(folder, "texts.jsonl")
...     _ = path.write_text('{"text": "Tin melts at 232 degrees."}')
...     [record.completion for record in data.read_records(path)]
['Tin melts at 232 degrees.']
"""

from tinsmith.data.files import RawRecord, read_rows
from tinsmith.data.formats import DataFormat, read_records, record_of
from tinsmith.data.records import Chat, Completion, Message, Preference, Record

__all__ = [
    "Chat",
    "Completion",
    "DataFormat",
    "Message",
    "Preference",
    "RawRecord",
    "Record",
    "read_records",
    "read_rows",
    "record_of",
]
