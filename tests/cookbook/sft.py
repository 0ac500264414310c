"""Supervised training with tinker-cookbook 0.6.1, as its users write it.

sft.py DATA MODEL CHECKPOINT FOLDER
"""

import asyncio
import sys

from tinker_cookbook.supervised import train
from tinker_cookbook.supervised.data import FromConversationFileBuilder
from tinker_cookbook.supervised.types import ChatDatasetBuilderCommonConfig

data, model, checkpoint, folder = sys.argv[1:]
common = ChatDatasetBuilderCommonConfig(
    model_name_for_tokenizer=model, renderer_name="qwen3_instruct", max_length=1024, batch_size=8
)
dataset = FromConversationFileBuilder(common_config=common, file_path=data)
config = train.Config(
    recipe_name="beside_tinsmith",
    model_name=model,
    load_checkpoint_path=checkpoint,
    log_path=folder,
    dataset_builder=dataset,
    learning_rate=5e-4,
    num_epochs=1,
    save_every=0,
)
asyncio.run(train.main(config))
