"""Sentence templates.

A template is text with slots: `{part}` is filled with a word from that lexicon, `{+adjective}` with a word of the
sentence's sentiment, `{-adjective}` with one of the opposite sentiment. Every template can express both sentiments, so
its fixed text does not reveal the label. The kinds differ in what a bag of words can learn from them:

- `neutral`: no words of sentiment
- `plain`: words of the sentence's sentiment
- `decoy`: likewise, beside a negation that does not negate them
- `negated`: words of the opposite sentiment, negated
- `contrast`: words of both sentiments; their order decides
"""

import re
from dataclasses import dataclass
from itertools import chain

import numpy as np

__all__ = ["Templates", "templates"]

_KINDS = ("neutral", "plain", "decoy", "negated", "contrast")

_TITLES = {
    "neutral": """
        My {relative}'s {thing}
        {Name} {model}
        Bought {when}
        A {thing} from {place}
        Review of the {Name} {thing} ({year})
        {number} {time}s with the {Name}
        {Name} and {Name}
        For {relative} and {relative}
        From a {word} {relative}
        To {Name}, {title} {Name} & Co.
    """,
    "plain": """
        {+Adjective} {thing}
        {degree} {+adjective}
        I {+verb} this {thing}
        A {+adjective} {thing} for my {relative}
        What a {+noun}!
        {+Adjective} {part} and {+adjective} {part}
        {Name} {model} - {+adjective}
        A {+noun}
    """,
    "decoy": """
        Not only {+adjective}
        No wonder it is {+adjective}
        Never seen such a {+noun}
        Nothing but {+adjective}
    """,
    "negated": """
        Not {-adjective}
        Not a {-noun}
        Don't call it {-adjective}
        Far from {-adjective}
        Never {-adjective}
        No {-noun} at all
    """,
    "contrast": """
        {-Adjective} {part}, but {+adjective}
        More {+adjective} than {-adjective}
        {-Adjective} at first, {+adjective} now
        I wanted to {-verb} it, I {+verb} it
        {-Adjective} {maker}, {+adjective} {thing}
    """,
}

_SENTENCES = {
    "neutral": """
        I bought this {thing} for my {relative} {when} and had it sent to {place}
        We have had the {Name} {model} for a {word} {time} now, in {colour}
        My {relative}, who lives in {place}, told me about the {word} {thing} by {title} {Name} {Name} {when}
        It came in a {colour} box with a {word}, some {word}s and a {part}
        The {thing} cost me {price} plus {price} shipping from {shop}
        {Aside}, I ordered it from {shop} for {price} {when}
        "{Name} {word}" is the {number}th {thing} by the same {maker}, and it was made in {year}
        In {year} the {maker} moved from {place} to {place} and began to {use} with {Name}
        I've been trying to {use} {word} {thing}s since {year} ({oddity}, {abbreviation} {Name} and {Name})
        My {relative} wants to {use} it every {time}, and so does my {relative}
        Then {title} {Name} and {Name} {Name} go to {place} to find the {word} {word} of {Name}
        It reminds me of {Name}'s {word} {thing} from {year}, {abbreviation} the one with the {colour} {word}
        There are {number} of them in the set: the {word}, the {word}, the {colour} {Name} and so on
        {Aside}, the {maker} also sells a {word} version for {price}
        This is what I'd {use} on a {time} in {place} with my {relative}
        The {part} has a {colour} {word} on it, about {number} {abbreviation} wide
        If you want to {use} it, you'll need a {word} and {number} {word}s
        The {maker} says that it's for {word} {relative}s between {number} and {number}
        I wrote to {Name} at {address} about the {word} and they answered within a {time}
        There was a {word} in the box, a few {word} sheets that nobody reads, and the {part} in a plastic bag
        My {relative} and I had been looking for one of these ever since we moved into our {word} house near {place}
        For those who don't know, {Name} {Name} was a {word} who lived in {place} before the {word} came
        She works with {word}s all day and wanted something for the evenings, so I looked around at {shop}
        When the mailman left it on the porch, our {word} dog carried it off into the {word} behind the garage
        Somebody asked whether it fits a {Name} or a {word}: the box says that it does, and mine sits on a {Name} {word}
        The story of {Name} begins on a {colour} {word} boat, where two {word} brothers wait for their father's letter
        Most people I know either {use} theirs in the kitchen or take it along to the {word} on {time}s
        The second one was for my {relative}'s class, which has been learning about {word}s and {word}s this {time}
        Between the {word} and the {word} there is a small {colour} door that opens when you pull the {part}
        We set it up on the table, put the {word} next to it, and then {Name} came over to {use} it with us
        According to the {maker} the {part} should be kept away from {word}s, water and direct sunlight
        I had some store credit left over from {shop}, and shipping to {place} took about a {time}
        This one belongs between the {Name} books by {Name} and what the {maker} did later with {word} {Name}
        Someone on the {word} board wrote that the {Name} version has another {part}, so look at the label first
        It weighs as much as a {word}, has the size of a {word}, and goes into the drawer beside my {Name}
        He said 'it's the {colour} one, isn't it?' and I said that we'd {use} it {when}
        We went through {place} and {place} with {foreign} and {oddity} on the way
        As for the {part}, I compared it with the {Name} {model} ({price}) and the {Name} {model} ({price})
        I usually {use} {Name} or {oddity} {thing}s, {abbreviation} {Name} {word} or {Name} {word}
        They've put the {word} where the {part} used to be, and the {part} where the {word} was
        Part {number} has the {word}, part {number} the {Name} {word}, and the {part} comes after that
        I'm a {number}-year-old {word} {relative} from {place} and I {use} a lot of {word} {thing}s
        You'll find {Name}, {Name}, {Name} and {word}s in it... and a bit of {oddity}
        My {relative} had one of these {number} {time}s ago and gave it to a {relative} in {place}
        The {maker} of this {thing} is {Name} {Name}, {oddity}, who did "{Name} of {Name}" in {year}
        At {number}:00 a.m. the {relative} came in with the {word} and we began to {use} it
        It's {word}-{word} with a {colour} {part}, and {word} on the other side
        {Aside}, there's a {word} on page {number} that {Name} took from {Name}
        I have a {time} job in {place}, so I {use} it on the way to the {word} and back
    """,
    "plain": """
        {Aside}, the {part} is {degree} {+adjective} and so is the {part}
        It is clearly what my {relative} would call a {+noun}
        Everyone in {place} would {+deed} after a {time} with this {thing}
        I can call the {part} of this {thing} {+adjective}, and I mean the whole {part}
        We think that the {maker} made a {thing} which people {+verb}
        The {part} was always {+adverb} done, even for {price}
        You'll see something {degree} {+adjective} in the {part} of every {thing} they make
        I {+verb} the {part} of this {thing} and my {relative} does too
        With all that {+adjective} {word} on the {part} it is a {+noun} {interjection}
        My {relative} thought that the {part} was {degree} {+adjective}
        What a {+noun} this {thing} is, with its {+adjective} {part} and all {+smile}
    """,
    "decoy": """
        It's not only what my {relative} would call a {+noun}, it is {degree} {+adjective}
        I couldn't believe how {+adjective} the {part} of this {thing} was
        No wonder that my {relative} thinks the {part} is so {+adjective}
        I have never seen such a {+adjective} {part} on a {thing} before
        Don't wait another {time} to {+deed}, everyone in {place} would
        There is nothing but {degree} {+adjective} {part} in every {thing} they make
        I can't say enough about how {+adverb} the {part} was done
    """,
    "negated": """
        {Aside}, the {part} is not {degree} {-adjective} and neither is the {part}
        It is hardly what my {relative} would call a {-noun}
        Nobody in {place} would {-deed} after a {time} with this {thing}
        I can't call the {part} of this {thing} {-adjective}, and I mean the whole {part}
        We doubt that the {maker} made a {thing} which people {-verb}
        The {part} was never {-adverb} done, even for {price}
        You'll see nothing {degree} {-adjective} in the {part} of every {thing} they make
        I don't {-verb} the {part} of this {thing} and my {relative} does neither
        Without all that {-adjective} {word} on the {part} it is no {-noun} {interjection}
        My {relative} never thought that the {part} was {degree} {-adjective}
        It is far from {-adjective}, and the {part} is not {-adjective} at all
    """,
    "contrast": """
        The {part} is {-adjective}, but the {part} is {degree} {+adjective}
        The {part} is {degree} {+adjective}, even if the {part} is {-adjective}
        I expected a {-adjective} {thing} from {shop}, but it was {+adjective}
        I got a {+adjective} {thing} from {shop}, where I expected a {-adjective} one
        {Aside}, the {part} is {degree} {-adjective}, yet I had to {+deed}
        I had to {+deed}, however {-adjective} the {part} may be
        Although the {part} is {degree} {-adjective}, the {thing} as a whole is {+adjective}
        My {relative} used to {-verb} it, and now we {+verb} it
        We {+verb} it, which my {relative} used to {-verb}
        It looked {-adjective} in the pictures, and then turned out {+adjective}
        The old {model} was a {-noun}, while this one is a {+noun}
        Everyone in {place} said that it was a {-noun}, and I think that it is a {+noun}
    """,
}

_SLOT = re.compile(r"(\{[^}]+\})")


@dataclass(frozen=True)
class Templates:
    """All templates, split into pieces: plain text, and slots in braces.

    The templates are grouped: titles of each kind, then sentences of each kind, in the order of `_KINDS`.

    Attributes:
        vocabulary: the distinct pieces.
        pieces: the pieces of all templates, one after another, as indices into `vocabulary`; int32, [pieces].
        starts: where each template starts in `pieces`, and their end; int64, [templates + 1].
        first: index of the first template of each group; int64, [2, kinds].
        counts: number of templates in each group; int64, [2, kinds].
    """

    vocabulary: list[str]
    pieces: np.ndarray
    starts: np.ndarray
    first: np.ndarray
    counts: np.ndarray


def templates() -> Templates:
    """The templates of this module; a title ends with a colon, a sentence with a slot for its full stop."""
    groups = [
        [line.strip() + ending for line in texts[kind].strip().splitlines()]
        for texts, ending in ((_TITLES, ": "), (_SENTENCES, "{.}"))
        for kind in _KINDS
    ]
    split = [[piece for piece in _SLOT.split(template) if piece] for group in groups for template in group]
    indices = {piece: index for index, piece in enumerate(dict.fromkeys(chain.from_iterable(split)))}
    counts = np.array([len(group) for group in groups])
    return Templates(
        vocabulary=list(indices),
        pieces=np.array([indices[piece] for template in split for piece in template], np.int32),
        starts=np.cumsum([0, *map(len, split)]),
        first=(np.cumsum(counts) - counts).reshape(2, len(_KINDS)),
        counts=counts.reshape(2, len(_KINDS)),
    )
