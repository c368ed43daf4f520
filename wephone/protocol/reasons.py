"""Closed lists of what can be said about an end or an error, one sentence each, English and Chinese."""

from enum import StrEnum


class EndReason(StrEnum):
    """Why a call ended: one for each call, the same for both parties."""

    HANGUP = "hangup"
    CANCELLED = "cancelled"
    DECLINED = "declined"
    BUSY = "busy"
    DO_NOT_DISTURB = "do_not_disturb"
    NO_ANSWER = "no_answer"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    GLARE = "glare"
    ANSWERED_ELSEWHERE = "answered_elsewhere"
    DECLINED_ELSEWHERE = "declined_elsewhere"
    CONNECTION_LOST = "connection_lost"
    MEDIA_FAILED = "media_failed"
    SERVER_RESTARTED = "server_restarted"
    NOT_RECORDED = "not_recorded"
    LICENCE_WITHDRAWN = "licence_withdrawn"
    UNKNOWN_USER = "unknown_user"
    UNKNOWN_CALL = "unknown_call"
    NO_ROUTE = "no_route"
    UNKNOWN_NUMBER = "unknown_number"
    LINES_BUSY = "lines_busy"
    CARRIER_FAILED = "carrier_failed"
    HELP_NOT_REACHED = "help_not_reached"
    TIME_LIMIT = "time_limit"
    TRANSFERRED = "transferred"


class ErrorCode(StrEnum):
    """What was wrong with a frame; the call it named is untouched."""

    MALFORMED = "malformed"
    UNKNOWN_TYPE = "unknown_type"
    UNKNOWN_FIELD = "unknown_field"
    BAD_VALUE = "bad_value"
    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    BAD_SDP = "bad_sdp"
    NOT_SIGNED_IN = "not_signed_in"
    UNSUPPORTED_VERSION = "unsupported_version"
    OUT_OF_PLACE = "out_of_place"
    UNKNOWN_CALL = "unknown_call"
    ID_TAKEN = "id_taken"
    NEGOTIATION_PENDING = "negotiation_pending"
    SLOW_DOWN = "slow_down"
    UNKNOWN_USER = "unknown_user"
    UNREACHABLE = "unreachable"
    BAD_ADDRESS = "bad_address"
    YOURSELF = "yourself"
    NOT_STORED = "not_stored"
    REFUSED = "refused"
    DRAINING = "draining"
    INTERNAL = "internal"


END_TEXTS: dict[EndReason, tuple[str, str]] = {
    EndReason.HANGUP: ("the call was hung up", "通话已挂断"),
    EndReason.CANCELLED: ("the caller gave up before an answer", "主叫在接听前取消了呼叫"),
    EndReason.DECLINED: ("the call was declined", "对方拒绝了呼叫"),
    EndReason.BUSY: ("the other person is in another call", "对方正在通话中"),
    EndReason.DO_NOT_DISTURB: ("the other person does not want to be disturbed", "对方开启了免打扰"),
    EndReason.NO_ANSWER: ("nobody answered in time", "无人接听"),
    EndReason.UNREACHABLE: ("the other person cannot be reached now", "暂时无法联系到对方"),
    EndReason.REFUSED: ("the call is not allowed here", "此呼叫在此处不被允许"),
    EndReason.GLARE: ("both called each other; the other call goes on", "双方同时呼叫，另一通呼叫继续"),
    EndReason.ANSWERED_ELSEWHERE: ("the call was answered on another device", "已在其他设备上接听"),
    EndReason.DECLINED_ELSEWHERE: ("the call was declined on another device", "已在其他设备上拒绝"),
    EndReason.CONNECTION_LOST: ("the connection to a party was lost", "与一方的连接已中断"),
    EndReason.MEDIA_FAILED: ("no sound could be exchanged", "无法传输语音"),
    EndReason.SERVER_RESTARTED: ("the server restarted while the call rang", "呼叫振铃时服务器重启"),
    EndReason.NOT_RECORDED: ("the call could not be recorded as required", "无法按要求记录此呼叫"),
    EndReason.LICENCE_WITHDRAWN: (
        "the operator is no longer permitted to carry this call",
        "运营方已不再获准承载此通话",
    ),
    EndReason.UNKNOWN_USER: ("there is no such user", "没有此用户"),
    EndReason.UNKNOWN_CALL: ("the server does not know this call", "服务器上没有此通话"),
    EndReason.NO_ROUTE: ("no carrier here takes calls to this number", "没有可接通此号码的线路"),
    EndReason.UNKNOWN_NUMBER: ("there is no such number", "号码不存在或不完整"),
    EndReason.LINES_BUSY: ("all lines are in use; try again shortly", "线路全忙，请稍后再试"),
    EndReason.CARRIER_FAILED: ("the carrier could not place the call", "运营商未能接通此通话"),
    EndReason.HELP_NOT_REACHED: (
        "the emergency call did not get through: dial from another telephone now",
        "紧急呼叫未能接通，请立即改用其他电话拨打",
    ),
    EndReason.TIME_LIMIT: ("the call reached its longest time", "通话已达时长上限"),
    EndReason.TRANSFERRED: ("the call was handed over", "通话已转接"),
}

ERROR_TEXTS: dict[ErrorCode, tuple[str, str]] = {
    ErrorCode.MALFORMED: ("the frame is not a JSON object", "该帧不是 JSON 对象"),
    ErrorCode.UNKNOWN_TYPE: ("there is no such message type", "没有这种消息类型"),
    ErrorCode.UNKNOWN_FIELD: ("the message has a field it cannot have", "消息包含不允许的字段"),
    ErrorCode.BAD_VALUE: ("a value is missing or cannot be right", "缺少某个值或该值无效"),
    ErrorCode.TOO_LARGE: ("the message is larger than allowed", "消息超出允许的大小"),
    ErrorCode.TOO_MANY: ("there are more of these than allowed", "数量超出允许范围"),
    ErrorCode.BAD_SDP: ("the session description is not acceptable", "会话描述不可接受"),
    ErrorCode.NOT_SIGNED_IN: ("the ticket is unknown, used or too old", "凭证未知、已使用或已过期"),
    ErrorCode.UNSUPPORTED_VERSION: ("this protocol version is not spoken here", "不支持该协议版本"),
    ErrorCode.OUT_OF_PLACE: ("the call is not in a state that allows this", "通话当前状态不允许此操作"),
    ErrorCode.UNKNOWN_CALL: ("there is no such call here", "没有此通话"),
    ErrorCode.ID_TAKEN: ("this id belongs to something else", "该标识已被占用"),
    ErrorCode.NEGOTIATION_PENDING: ("the other side's offer must be answered first", "须先应答对方的提议"),
    ErrorCode.SLOW_DOWN: ("too many requests; wait a little", "请求过多，请稍候"),
    ErrorCode.UNKNOWN_USER: ("there is no such user", "没有此用户"),
    ErrorCode.UNREACHABLE: ("the other person cannot be reached", "无法联系到对方"),
    ErrorCode.BAD_ADDRESS: ("neither a user name nor a telephone number", "既不是用户名也不是电话号码"),
    ErrorCode.YOURSELF: ("that is yourself", "这是你自己"),
    ErrorCode.NOT_STORED: ("the message could not be stored; send it again", "消息未能保存，请重新发送"),
    ErrorCode.REFUSED: ("this is not allowed here", "此处不允许此操作"),
    ErrorCode.DRAINING: ("the server is about to stop; call again in a moment", "服务器即将停止，请稍后再拨"),
    ErrorCode.INTERNAL: ("the server made a mistake; it has been logged", "服务器内部错误，已记录"),
}


def end_text(reason: EndReason, language: str = "en") -> str:
    """One lower-case sentence for a person; Chinese if `language` starts with "zh"."""
    return END_TEXTS[reason][language.startswith("zh")]


def error_text(code: ErrorCode, language: str = "en") -> str:
    """One lower-case sentence for a person; Chinese if `language` starts with "zh"."""
    return ERROR_TEXTS[code][language.startswith("zh")]
