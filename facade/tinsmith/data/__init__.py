"""From files to training data: records of published formats, datums with weights, batches.

>>> import pathlib, tempfile, tinsmith
>>> from tinsmith import data
>>> with tempfile.TemporaryDirectory() as folder, tinsmith.ServiceClient(base_url="local:") as service:
...     path = pathlib.Path(folder, "chats.jsonl")
...     _ = path.write_text('{"instruction": "Name the symbol of tin.", "output": "Sn"}')
...     trainer = service.create_lora_training_client("tinsmith/tiny", rank=2)
...     builder = data.DatumBuilder(tokenizer=trainer.get_tokenizer(), max_tokens=512, truncation="drop")
...     datums = [datum for record in data.read_records(path) for datum in builder.datums(record)]
...     for batch in data.Batches(data=datums, items=8, seed=0).walk(epochs=1):
...         loss = data.mean_loss(trainer.forward(batch.data, "cross_entropy").result(), batch.data)
>>> loss > 0
True
"""

from tinsmith.data.batches import Batch, Batches, mean_loss
from tinsmith.data.datums import (
    ChatTokenizer,
    DatumBuilder,
    TrainOn,
    Truncation,
    WeightedTokens,
    datum_from_messages,
    datum_from_sample,
    datum_from_text,
)
from tinsmith.data.files import RawRecord, read_rows
from tinsmith.data.formats import DataFormat, read_records, record_of
from tinsmith.data.records import Chat, Completion, Message, Preference, Record
from tinsmith.data.survey import DataProblem, DataSurvey, survey

__all__ = [
    "Batch",
    "Batches",
    "Chat",
    "ChatTokenizer",
    "Completion",
    "DataFormat",
    "DataProblem",
    "DataSurvey",
    "DatumBuilder",
    "Message",
    "Preference",
    "RawRecord",
    "Record",
    "TrainOn",
    "Truncation",
    "WeightedTokens",
    "datum_from_messages",
    "datum_from_sample",
    "datum_from_text",
    "mean_loss",
    "read_records",
    "read_rows",
    "record_of",
    "survey",
]
