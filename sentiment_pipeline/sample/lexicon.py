"""The words that fill the slots of the templates.

A lexicon is a table whose rows hold alternatives for different contexts: a single row for words that fit everywhere, a
row for each topic (a book has a plot, a phone a battery), or two rows, negative and positive, for words of sentiment.
These come in pairs at the same position of both rows, so that the label cannot be told from how often a word of a kind
is used. Earlier words of a row are drawn more often than later ones.
"""

import numpy as np

__all__ = ["TOPICS", "TOPIC_COUNT", "tables"]

_EVERYWHERE = {
    "relative": "wife husband son daughter mother father mom dad sister brother friend boss neighbor niece nephew "
    "grandmother roommate kids cousin co-worker girlfriend boyfriend mother-in-law two-year-old",
    "time": "week month year weekend summer winter Christmas birthday holiday semester vacation day night morning",
    "when": "yesterday today recently twice already again finally last|week last|month this|year in|May in|December "
    "on|Monday on|Friday years|ago a|while|ago right|away at|5|p.m. at|9|a.m. over|Thanksgiving by|mistake",
    "place": "the|U.S. England Canada Germany Texas California New|York Los|Angeles Washington,|D.C. St.|Louis "
    "Mexico Florida Ohio Chicago Tokyo the|U.K. Mt.|Vernon Boston Seattle Italy Virginia my|home|town "
    "Cape|Cod Paris Arizona Oregon San|Francisco Australia the|Midwest Québec Zürich São|Paulo",
    "shop": "Amazon eBay the|store the|mall the|airport a|yard|sale Wal-Mart Best|Buy Barnes|&|Noble the|library "
    "my|office the|internet a|catalog Amazon.com",
    "colour": "black white red blue green silver gray pink brown purple yellow orange dark-blue off-white",
    "abbreviation": "e.g. i.e. etc. vs. approx. esp. a.k.a. w/ w/o ca. incl. No. Vol. pp. min. max. lbs. ft. in.",
    "title": "Mr. Mrs. Ms. Dr. Prof. Sen. Gen. Capt. Rev. St. Sgt. Lt.",
    "degree": "very really so quite pretty rather extremely truly absolutely just simply totally incredibly "
    "somewhat VERY SO REALLY sooo genuinely downright thoroughly remarkably",
    "Aside": "Of|course Frankly To|be|honest Believe|me In|my|opinion IMO If|you|ask|me So|far However As|I|said "
    "By|the|way After|all In|fact FYI Needless|to|say I|must|admit Honestly All|in|all I|guess Mind|you",
    "foreign": "café déjà|vu naïve cliché résumé fiancée jalapeño Beyoncé Björk Motörhead Gabriel|García|Márquez "
    "Zoë crème|brûlée señor über façade Antonín|Dvořák El|Niño Les|Misérables “so-called” it’s don’t 2½ "
    "£20 €15 20° ½ André — … ™ ® Łódź Владимир 東京 ñandú Ελλάδα Søren Þór",
    "oddity": "A+ C++ AC/DC R&B 24/7 50/50 #1 *** 100% 3-D 4x4 P.S. CD-R USB2.0 X-Men O'Brien Rock'n'Roll '80s "
    "1980's 'n' @home and/or his/her 1st 2nd 3rd 90's F.B.I. U.S.A. Ph.D. M*A*S*H \\o/ ~ <sigh> [sic] "
    "{shrug} `quotes' ''double'' (c) 1/2 10,000 3:30 5'11\" gonna cannot wanna lemme gimme d'ye more'n "
    "'tis 'Twas",
    "interjection": "... !? :-| o_O LOL (lol) haha - -- ;-)",
    ".": ".| .| .| .| .| .| !| .|| !!| !!!| ...| .| . ;| ?| -|",
}

TOPICS = {  # books, music, films, electronics, kitchen, toys and games
    "thing": (
        "book novel paperback edition story sequel textbook biography",
        "CD album record song disc recording collection single",
        "movie film DVD series show video documentary episode",
        "camera phone player charger printer headset monitor keyboard",
        "blender pan kettle toaster knife oven mixer grill",
        "game puzzle doll kit robot train set console",
    ),
    "part": (
        "plot ending writing chapter characters dialogue cover index prose setting grammar first|half",
        "vocals lyrics sound bass melody guitar mix booklet drumming tempo encore second|track",
        "acting script picture ending cast soundtrack lighting editing pace transfer dubbing opening|scene",
        "screen battery sound software zoom manual keypad signal lens adapter remote power|cord",
        "handle lid blade motor timer coating design switch gasket spout finish carrying|case",
        "graphics rules pieces controls box figures sound instructions difficulty paint storyline battery|cover",
    ),
    "maker": (
        "author writer publisher editor illustrator translator",
        "singer band drummer label composer producer",
        "director actor studio screenwriter actress narrator",
        "company seller manufacturer vendor engineer support|team",
        "company brand manufacturer seller designer importer",
        "company designer developer maker publisher studio",
    ),
    "use": (
        "read study skim quote borrow finish",
        "play hear sing download copy burn",
        "watch rent see stream tape rewind",
        "charge connect install carry plug|in upgrade",
        "wash clean heat fill dry store",
        "play build assemble share open unpack",
    ),
}

TOPIC_COUNT = len(TOPICS["thing"])

_SENTIMENT = {  # negative, then positive
    "adjective": (
        "bad terrible boring poor awful disappointing cheap weak dull horrible useless annoying ugly flimsy slow "
        "stupid worthless mediocre sloppy ridiculous noisy confusing defective predictable lame shallow clumsy "
        "bland tedious dreadful overpriced unreliable pathetic tasteless outdated frustrating misleading lousy "
        "forgettable crude miserable atrocious hideous pointless unbearable shoddy dismal rotten appalling abysmal",
        "good wonderful exciting great awesome satisfying sturdy strong lively superb useful delightful beautiful "
        "solid quick clever priceless outstanding careful brilliant quiet clear flawless surprising cool profound "
        "elegant rich gripping lovely affordable reliable fantastic tasteful modern enjoyable honest excellent "
        "memorable refined joyful magnificent gorgeous insightful irresistible durable splendid fresh amazing "
        "stunning",
    ),
    "Adjective": (
        "Bad Terrible Boring Poor Awful Disappointing Cheap Weak Dull Horrible Useless TERRIBLE BORING AWFUL BAD",
        "Good Wonderful Exciting Great Awesome Satisfying Sturdy Strong Lively Superb Useful WONDERFUL "
        "GREAT AWESOME GOOD",
    ),
    "noun": (
        "disappointment waste|of|money mess joke failure disaster letdown rip-off bore nightmare piece|of|junk flop",
        "pleasure bargain gem treat success masterpiece triumph must-have joy dream work|of|art hit",
    ),
    "verb": (
        "hate dislike regret detest despise loathe resent curse",
        "love like enjoy adore admire cherish treasure praise",
    ),
    "adverb": (
        "badly poorly terribly carelessly awkwardly horribly sloppily miserably",
        "nicely well beautifully carefully smoothly wonderfully superbly perfectly",
    ),
    "deed": (
        "return|it throw|it|away send|it|back avoid|it warn|my|friends ask|for|a|refund skip|it complain",
        "keep|it recommend|it buy|it|again treasure|it tell|my|friends give|it|as|a|gift use|it|daily celebrate",
    ),
    "smile": (":( :-( :'( >:( =( D: :/", ":) :-) ;) :D =) <3 ^_^"),
}


def tables() -> dict[str, np.ndarray]:
    """Every lexicon by name: strings, an object array of shape [rows, words]; `|` above stands for a space."""
    rows = {name: (words,) for name, words in _EVERYWHERE.items()} | TOPICS | _SENTIMENT
    return {
        name: np.array([[word.replace("|", " ") for word in row.split()] for row in lines], object)
        for name, lines in rows.items()
    }
