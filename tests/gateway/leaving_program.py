"""A client that reads the beginning of a long stream and says so; `run.py` kills it then."""

import os
import time

from openai import OpenAI

stream = OpenAI().completions.create(
    model=os.environ["MODEL"], prompt="Once upon a time", max_tokens=4000, stream=True, logprobs=1, n=4
)
for number, _ in enumerate(stream):
    if number == 8:
        print("reading", flush=True)
        time.sleep(600)
