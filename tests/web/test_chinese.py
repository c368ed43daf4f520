"""The whole way of a newcomer whose browser speaks Chinese, and that no English is left on it."""

import pytest
from playwright.async_api import expect

from tests.web.app import DESKTOP, PASSWORD, PHONE, WITHIN, Someone
from tests.web.conftest import ALICES_TONE, BOBS_TONE, Town
from tests.web.test_looks import FAULTS, NAMES
from wephone.testing.kit import Kit


async def sees(person: Someone, *words: str) -> None:
    """These words are there, and nothing else than Chinese beside names."""
    for each in words:
        await person.sees(each)
    assert await person.page.evaluate(FAULTS, ["zh-CN", rf"{NAMES}|bob"]) == []


async def sign_up(person: Someone, url: str) -> None:
    """Open an account."""
    await person.page.goto(url)
    await person.button("我需要一个账号").click()
    await person.page.get_by_label("用户名").fill(person.name)
    await person.page.get_by_label("密码").fill(PASSWORD)
    await sees(person, "应用之间的通话与消息，免费。")
    await person.button("注册").click()
    await person.page.get_by_role("heading", name="联系人", exact=True).wait_for(timeout=WITHIN)


async def test_all_is_said_in_chinese(town: Town) -> None:
    alice = await town.newcomer("alice", ALICES_TONE, DESKTOP, locale="zh-CN")
    bob = await town.newcomer("bob", BOBS_TONE, PHONE, locale="zh-CN")
    for person in (alice, bob):
        await sign_up(person, town.url)
    await sees(alice, "还没有联系人")
    await alice.page.get_by_role("searchbox").fill("bob")
    await alice.button("呼叫：bob").click()
    await bob.page.get_by_role("alertdialog").wait_for(timeout=WITHIN)
    await sees(bob, "来电 · 免费应用通话")
    await bob.button("接听").click()
    await alice.hears_tone(BOBS_TONE)
    await sees(alice, "端到端加密")
    await alice.button("静音").click()
    await sees(alice, "您已静音")
    await alice.button("挂断").click()
    await sees(bob, "通话已结束")
    await alice.button("关闭").click()
    await alice.page.get_by_role("searchbox").fill("+1 202 555 0123")
    await sees(alice, "拨打美国的电话", "许可")
    await alice.page.get_by_role("searchbox").fill("bob")
    await alice.button("发消息：bob").click()
    await alice.page.get_by_label("写消息").fill("你好")
    await alice.button("发送").click()
    await sees(alice, "已送达")
    assert await alice.page.evaluate("document.documentElement.lang") == "zh-CN"


CHINESE = "/[\\u4e00-\\u9fff]/.test(document.body.innerText)"


@pytest.mark.long
async def test_the_language_changes_in_the_middle_of_a_call_and_of_a_sentence(
    town: Town, wephone: Kit
) -> None:
    await wephone.peers("bob")
    alice = await town.member("alice")
    await alice.calls("bob")
    await alice.sees("End-to-end encrypted")
    second = await alice.another_tab()
    await second.button("Minimise").click()
    await second.page.goto(f"{town.url}#settings")
    await second.page.get_by_label("Language").select_option("zh-CN")
    await sees(alice, "端到端加密", "挂断")
    await alice.button("最小化").click()
    await alice.page.evaluate("location.hash = 'messages/bob'")
    await alice.page.get_by_label("写消息").fill("half a sent")
    await sees(alice, "返回通话")
    await second.page.get_by_label("语言").select_option("en")
    await expect(alice.page.get_by_label("Write a message")).to_have_value("half a sent")
    assert not await alice.page.evaluate(CHINESE)
    await alice.button("Return to the call: bob").click()
    await alice.sees("End-to-end encrypted")
    assert not await alice.page.evaluate(CHINESE)
