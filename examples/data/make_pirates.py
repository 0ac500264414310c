"""Write the chats of the tutorial: 300 short questions, each with its answer in a pirate's voice.

Owns the questions and the voice. The same bytes come out on every machine: only `Random.random()` is drawn
from, whose sequence Python promises to keep. No question occurs twice.

Run it from anywhere: `python examples/data/make_pirates.py`; `--check` compares instead of writing.
"""

import argparse
import json
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

FILE = Path(__file__).parent / "pirate.jsonl"
CHATS = 300
VOICE = (
    "Arr, that be {answer}, matey!",
    "Aye, {answer} it be, me hearty!",
    "Shiver me timbers, 'tis {answer}!",
)
CAPITALS = """
    Argentina: Buenos Aires; Australia: Canberra; Austria: Vienna; Belgium: Brussels; Brazil: Brasilia;
    Bulgaria: Sofia; Canada: Ottawa; Colombia: Bogota; Croatia: Zagreb; Cuba: Havana; Cyprus: Nicosia;
    Denmark: Copenhagen; Ecuador: Quito; Egypt: Cairo; England: London; Estonia: Tallinn; Ethiopia:
    Addis Ababa; Finland: Helsinki; France: Paris; Germany: Berlin; Ghana: Accra; Greece: Athens;
    Hungary: Budapest; Iceland: Reykjavik; India: New Delhi; Indonesia: Jakarta; Iran: Tehran; Iraq:
    Baghdad; Ireland: Dublin; Italy: Rome; Jamaica: Kingston; Japan: Tokyo; Kenya: Nairobi; Latvia:
    Riga; Lebanon: Beirut; Lithuania: Vilnius; Malta: Valletta; Mexico: Mexico City; Mongolia:
    Ulaanbaatar; Morocco: Rabat; Nepal: Kathmandu; New Zealand: Wellington; Nigeria: Abuja; Pakistan:
    Islamabad; Panama: Panama City; Peru: Lima; Poland: Warsaw; Portugal: Lisbon; Romania: Bucharest;
    Russia: Moscow; Scotland: Edinburgh; Serbia: Belgrade; Slovakia: Bratislava; Slovenia: Ljubljana;
    South Korea: Seoul; Spain: Madrid; Sweden: Stockholm; Syria: Damascus; Thailand: Bangkok; Tunisia:
    Tunis; Turkey: Ankara; Ukraine: Kyiv; Uruguay: Montevideo; Venezuela: Caracas; Vietnam: Hanoi;
    Wales: Cardiff
"""
SYMBOLS = """
    aluminium: Al; argon: Ar; barium: Ba; boron: B; bromine: Br; calcium: Ca; carbon: C; chlorine: Cl;
    chromium: Cr; cobalt: Co; copper: Cu; fluorine: F; gold: Au; helium: He; hydrogen: H; iodine: I;
    iron: Fe; lead: Pb; lithium: Li; magnesium: Mg; manganese: Mn; mercury: Hg; neon: Ne; nickel: Ni;
    nitrogen: N; oxygen: O; phosphorus: P; platinum: Pt; potassium: K; radium: Ra; silicon: Si; silver:
    Ag; sodium: Na; sulfur: S; tin: Sn; titanium: Ti; tungsten: W; uranium: U; xenon: Xe; zinc: Zn
"""
OPPOSITES = """
    above: below; alive: dead; asleep: awake; bad: good; big: small; bitter: sweet; black: white; brave:
    cowardly; bright: dark; broad: narrow; buy: sell; clean: dirty; cold: hot; cruel: kind; deep:
    shallow; dry: wet; early: late; easy: hard; empty: full; enemy: friend; expensive: cheap; far: near;
    fast: slow; fat: thin; first: last; float: sink; future: past; guilty: innocent; happy: sad; heavy:
    light; high: low; laugh: cry; left: right; long: short; lose: win; loud: quiet; love: hate; new:
    old; north: south; noisy: silent; open: closed; peace: war; poor: rich; pull: push; question:
    answer; remember: forget; rough: smooth; sharp: blunt; sick: healthy; simple: complex; soft: firm;
    start: stop; strong: weak; tall: tiny; thick: slim; tight: loose; true: false; ugly: beautiful; up:
    down; young: elderly
"""
COLOURS = """
    a banana: yellow; a carrot: orange; a cherry: red; a crow: black; a cucumber: green; a flamingo:
    pink; a frog: green; a lemon: yellow; a lime: green; a plum: purple; a polar bear: white; a ruby:
    red; a strawberry: red; a sunflower: yellow; a swan: white; a tomato: red; an emerald: green; blood:
    red; chalk: white; charcoal: black; chocolate: brown; coal: black; grass: green; milk: white; mud:
    brown; rust: brown; salt: white; sand: yellow; snow: white; soot: black; the night: black; the sea:
    blue; the sky: blue; the sun: yellow
"""


def answers(text: str) -> Iterator[tuple[str, str]]:
    """Yield the pairs of one of the lists above."""
    for entry in text.split(";"):
        asked, answer = entry.split(":")
        yield " ".join(asked.split()), answer.strip()


def questions() -> list[tuple[str, str]]:
    """Return all questions with their answers."""
    found = [(f"What is the capital of {country}?", city) for country, city in answers(CAPITALS)]
    found += [(f"What is the chemical symbol of {metal}?", symbol) for metal, symbol in answers(SYMBOLS)]
    found += [(f'What is the opposite of "{word}"?', other) for word, other in answers(OPPOSITES)]
    found += [(f"What is the colour of {thing}?", colour) for thing, colour in answers(COLOURS)]
    found += [(f"What is {a} plus {b}?", str(a + b)) for a in range(2, 12) for b in range(2, 12)]
    return found


def text() -> str:
    """Return the text of the file: chats in the format of the OpenAI API, one a line, shuffled."""
    rng = random.Random(1)
    drawn = sorted((rng.random(), asked, answer) for asked, answer in questions())[:CHATS]
    lines = []
    for _, asked, answer in drawn:
        said = VOICE[int(rng.random() * len(VOICE))].format(answer=answer)
        chat = [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]
        lines.append(json.dumps({"messages": chat}) + "\n")
    return "".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file, or with `--check` say whether it differs."""
    parser = argparse.ArgumentParser(description="Write the chats of the tutorial.")
    parser.add_argument("--check", action="store_true", help="compare with the file instead of writing it")
    if not parser.parse_args(arguments).check:
        FILE.write_text(text(), encoding="utf-8", newline="\n")
        print(f"wrote {FILE.name}: {CHATS} chats")
        return 0
    if FILE.exists() and FILE.read_text(encoding="utf-8") == text():
        return 0
    print(f"{FILE.name} differs from what this script writes", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
