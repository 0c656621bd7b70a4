"""What a script says to a caller and hears from them: verbs that block the script's own greenlet and nobody else's.

``Conversation`` has the verbs; ``cti.Call`` is one, with the call centre's verbs added; ``SocketCall`` is one on a
call that FreeSWITCH's ``socket`` application handed over; ``cti.testing.FakeCall`` is one without a switch.
"""

from cti.script.collected import Choice, Collected, Recorded
from cti.script.control import Control, Running
from cti.script.conversation import Conversation
from cti.script.prompt import Prompt, Say, Speak
from cti.script.prompt_files import missing_prompts
from cti.script.recognizer import Recognizer
from cti.script.secret import Secret
from cti.script.socket_call import SocketCall, on_socket

__all__ = [
    "Choice",
    "Collected",
    "Control",
    "Conversation",
    "Prompt",
    "Recognizer",
    "Recorded",
    "Running",
    "Say",
    "Secret",
    "SocketCall",
    "Speak",
    "missing_prompts",
    "on_socket",
]
