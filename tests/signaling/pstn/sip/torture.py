"""The torture messages of RFC 4475, and what our user agent says to each, which is what the RFC asks for.

Held against the RFC's own files, where somebody has them:  python -m tests.signaling.pstn.sip.torture FOLDER
"""

import sys
from pathlib import Path

from tests.signaling.pstn.sip.torture_invalid import INVALID
from tests.signaling.pstn.sip.torture_layers import LAYERS
from tests.signaling.pstn.sip.torture_valid import VALID

MESSAGES = VALID | INVALID | LAYERS

TAKEN = (100, 486)  # an INVITE that reaches whoever answers calls, who is busy
NOBODY = ()  # no answer

# No registrar and no gateway for text is here: REGISTER, MESSAGE and unknown methods are answered with 405.
ANSWERS: dict[str, tuple[int, ...]] = {
    "wsinv": (100, 481),  # within a dialog that is not ours
    "intmeth": (405,),
    "esc01": TAKEN,
    "escnull": (405,),
    "esc02": (405,),  # a method of that name, not REGISTER
    "lwsdisp": (200,),
    "longreq": TAKEN,
    "dblreq": (405,),  # what follows in the datagram is dropped
    "semiuri": (200,),
    "transports": (200,),
    "mpart01": (405,),
    "unreason": NOBODY,
    "noreason": NOBODY,
    "badinv01": (400,),
    "clerr": (400,),
    "ncl": (400,),
    "scalar02": (400,),
    "scalarlg": NOBODY,
    "quotbal": (400,),
    "ltgtruri": (400,),
    "lwsruri": (400,),
    "lwsstart": (400,),
    "trws": (400,),
    "escruri": (400,),
    "baddate": TAKEN,  # the date is of no interest to us
    "regbadct": (400,),
    "badaspec": (400,),
    "baddn": (400,),
    "badvers": (505,),
    "mismatch01": (400,),
    "mismatch02": (400,),
    "bigcode": NOBODY,
    "badbranch": (200,),
    "insuf": (400,),
    "unkscm": (416,),
    "novelsc": (416,),
    "unksm2": (405,),
    "bext01": (420,),
    "invut": (100, 415),
    "regaut01": (405,),
    "multi01": (400,),
    "mcl01": (400,),
    "bcast": NOBODY,
    "zeromf": (200,),  # we are whom it is for
    "cparam01": (405,),
    "cparam02": (405,),
    "regescrt": (405,),
    "sdp01": (100, 406),
    "inv2543": (100, 400),  # no Contact: such a call could never be ended
}

# On a stream nobody can say where these end: the connection is closed, or more is waited for.
CLOSED = ("ncl", "mcl01", "inv2543", "baddn", "dblreq")
UNFINISHED = ("clerr",)
ANSWERS_ON_A_STREAM = (
    ANSWERS
    | dict.fromkeys((*CLOSED, *UNFINISHED), NOBODY)
    | {"dblreq": (405, 100, 400)}  # two messages; the second has no Contact, and is longer than it says
)

if __name__ == "__main__":
    differ = [n for n, text in MESSAGES.items() if (Path(sys.argv[1]) / f"{n}.dat").read_bytes() != text]
    sys.exit(f"these differ: {differ}" if differ else 0)
