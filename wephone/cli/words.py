"""The softphone's sentences, in English and 简体中文. Reasons and refusals bring their own."""

WORDS: dict[str, tuple[str, str]] = {
    # A call
    "placing": ("calling {peer}", "正在呼叫 {peer}"),
    "sent": ("the server has taken the call", "服务器已接受呼叫"),
    "delivered": ("a device of {peer} has the call", "呼叫已到达 {peer} 的设备"),
    "alerting": ("it rings at {peer}", "{peer} 的设备正在振铃"),
    "forwarded": ("the call goes on to {peer}", "呼叫已转至 {peer}"),
    "answered": ("{peer} answered", "{peer} 已接听"),
    "answered here": ("answered", "已接听"),
    "connected": ("you can hear each other", "双方可以通话"),
    "code": (
        "safety code {code}: if {peer} reads the same, nobody listens between you",
        "安全码 {code}：若 {peer} 看到的相同，则无人窃听",
    ),
    "held": ("{peer} holds the call", "{peer} 保持了通话"),
    "pressed": ("keys sent: {keys}", "已发送按键：{keys}"),
    "key": ("{peer} pressed {key}", "{peer} 按下了 {key}"),
    "talk on": ("the call goes on", "通话继续"),
    "refused aloud": ("refused, as you are told: {text}", "呼叫被拒绝，正在语音告知：{text}"),
    "early": ("the carrier can be heard; it does not hear you yet", "可听到运营商的提示音，对方尚听不到您"),
    "handed over": ("{peer} hands the call over to {to}", "{peer} 将通话转接至 {to}"),
    "glare": (
        "{peer} called at the same moment: it is one call now",
        "{peer} 同时呼叫了你：两通呼叫已合为一通",
    ),
    "ending": (
        "the call ends in {seconds:.0f} s: {text} (decision {decision})",
        "通话将在 {seconds:.0f} 秒后结束：{text}（决定 {decision}）",
    ),
    "ending cancelled": ("the call is permitted again and goes on", "通话已重新获准，继续进行"),
    "hanging up": ("hanging up", "正在挂断"),
    "ended": ("{reason}, after {duration}", "{reason}，时长 {duration}"),
    "recorded": ("what was heard is in {path}", "所听到的声音保存在 {path}"),
    # A refusal
    "reason code": ("reason", "原因代码"),
    "decision": ("decision", "决定编号"),
    "permit": ("permit needed", "所需许可"),
    # Waiting for calls
    "listening": ("{user} can be called; Ctrl-C ends it", "{user} 可以被呼叫；按 Ctrl-C 结束"),
    "rings": ("{peer} calls", "{peer} 来电"),
    "rings for": ("{peer} calls for {whom}, who has the call go on to you", "{peer} 来电，由 {whom} 转来"),
    "ask": ("Enter answers, n and Enter declines", "按回车接听，输入 n 并回车拒绝"),
    "busy": ("{peer} calls; told that you are in another call", "{peer} 来电；已告知你正在通话"),
    "clicked": ("your account asks you to call {peer}", "您的账户请您呼叫 {peer}"),
    "ask to call": ("Enter calls, n and Enter does not", "按回车呼叫，输入 n 并回车放弃"),
    "click over": (
        "another device has the call to {peer}, or it is too late",
        "另一台设备已呼叫 {peer}，或已超时",
    ),
    "busy for a click": (
        "your account asks you to call {peer}; you are in another call",
        "您的账户请您呼叫 {peer}；您正在通话",
    ),
    "text": ("{peer} writes: {text}", "{peer} 发来消息：{text}"),
    "missed": ("a call by {peer} was missed at {time}", "{time} 有一个来自 {peer} 的未接来电"),
    # Passwords
    "one use": ("this password was for one use: choose another", "此密码只能使用一次：请另选一个"),
    "new password": ("New password of {user}: ", "{user} 的新密码："),
    "once more": ("Once more: ", "再输入一次："),
    "not alike": ("the two are not alike", "两次输入不一致"),
    "password changed": (
        "the password of {user} is changed, and every session ended",
        "{user} 的密码已更改，所有会话均已结束",
    ),
    # Where calls go on to
    "forward always": ("all calls go on to {who}", "所有来电转至 {who}"),
    "forward busy": ("calls while one is busy go on to {who}", "忙时来电转至 {who}"),
    "forward no_answer": (
        "calls that nobody answers go on to {who} after {after} s",
        "无人接听的来电在 {after} 秒后转至 {who}",
    ),
    "forward nowhere": ("calls go on to nobody", "未设置呼叫转移"),
    # The server
    "signing in": ("signing in to {server} as {user}", "正在以 {user} 登录 {server}"),
    "link lost": (
        "the server is out of reach; a running call talks on, and I keep trying",
        "无法连接服务器；进行中的通话不受影响，正在重试",
    ),
    "link back": ("the server is back", "已重新连接服务器"),
    "signed out": ("the server has ended this session ({reason})", "服务器已结束此会话（{reason}）"),
    "draining": ("the server stops within {within:g} s", "服务器将在 {within:g} 秒内停止"),
    # A text
    "stored": (
        "the server has the text and hands it to {peer} when it can",
        "服务器已保存消息，将在可能时送达 {peer}",
    ),
    # The demonstration
    "own server": ("a server of its own, in a temporary folder", "独立的服务器，位于临时文件夹"),
    "serves": ("it serves at {url}", "服务地址 {url}"),
    "signed in": ("{user} signed in", "{user} 已登录"),
    "calls": ("{caller} calls {callee}", "{caller} 呼叫 {callee}"),
    "both hear": ("sound passes both ways", "双向语音已接通"),
    "same code": ("both show the safety code {code}", "双方显示相同的安全码 {code}"),
    "both spoke": ("both spoke, {seconds:.1f} s", "双方均已讲话，{seconds:.1f} 秒"),
    "hung up": ("{caller} hung up, and both ends say so", "{caller} 挂断，两端记录一致"),
    "heard": ("{listener} heard {speaker}: {score}", "{listener} 听到 {speaker}：{score}"),
    "score": (
        "STOI {stoi:.2f}, level {level:+.1f} dB, gaps in {lost:.0%} of the speech",
        "STOI {stoi:.2f}，音量 {level:+.1f} dB，{lost:.0%} 的语音有缺失",
    ),
    "score with PESQ": (
        "STOI {stoi:.2f}, PESQ {pesq:.1f}, level {level:+.1f} dB, gaps in {lost:.0%} of the speech",
        "STOI {stoi:.2f}，PESQ {pesq:.1f}，音量 {level:+.1f} dB，{lost:.0%} 的语音有缺失",
    ),
    "set-up": ("set-up, from the call to its answer: {ms:.0f} ms", "建立通话，从呼叫到接听：{ms:.0f} 毫秒"),
    "first audio": (
        "first audio after the answer: {ms:.0f} ms at {user}",
        "接听后首帧语音：{user} 端 {ms:.0f} 毫秒",
    ),
    "loss": (
        "lost on the way to {user}: {loss:.1%} of {packets} packets",
        "发往 {user} 的丢包：{packets} 个包中 {loss:.1%}",
    ),
    "dials": ("{caller} dials {number}", "{caller} 拨打 {number}"),
    "refused": ("refused: {text}", "被拒绝：{text}"),
    "not refused": ("it was not refused: {outcome}", "未被拒绝：{outcome}"),
    "decided": ("decision {decision} ({code}), in the journal", "决定 {decision}（{code}），已记入日志"),
    "needed": ("permit needed: {permit}", "所需许可：{permit}"),
    "by telephone": (
        "the permit is filed, and {caller} dials {number} again",
        "许可已登记，{caller} 再次拨打 {number}",
    ),
    "filed": ("permit filed: {permit}", "已登记许可：{permit}"),
    "telephone heard": ("the telephone was heard: {score}", "听到电话那端的声音：{score}"),
    "cut": (
        "permit suspended: the call was cut after {ms:.0f} ms (at most {most:.0f})",
        "许可已暂停：通话在 {ms:.0f} 毫秒后被切断（上限 {most:.0f}）",
    ),
    "over there": ("the carrier confirms that it is over", "运营商确认通话已结束"),
    "verified": (
        "audit verified: {entries} entries, one chain, none altered",
        "审计日志已核验：{entries} 条记录，同一条链，无一被改",
    ),
    "in time": ("all of it within {seconds:g} s", "全部在 {seconds:g} 秒内完成"),
    "went on": ("it went on to its end: {why}", "演示未能完成：{why}"),
    "all so": ("all of this is so", "以上全部属实"),
    "not so": ("{count} of what is shown above is not so", "以上有 {count} 项不属实"),
    "kept": ("what was said and heard is in {folder}", "所说与所听保存在 {folder}"),
    # Devices
    "no microphone": (
        "you are silent: {why}; --play FILE says a file",
        "对方听不到你的声音：{why}；可用 --play FILE 播放文件",
    ),
    "no loudspeaker": (
        "you hear nothing: {why}; --record FILE keeps what there is to hear",
        "你听不到声音：{why}；可用 --record FILE 录音",
    ),
}


def words(key: str, language: str, /, **values: object) -> str:
    """A sentence in this language ("zh..." is Chinese, else English), with its values in it."""
    return WORDS[key][language.startswith("zh")].format(**values)
