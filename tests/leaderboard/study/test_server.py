"""The server as annotators, and others, meet it. All over real sockets."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import random
import re
import socket
import time
from collections import Counter

import httpx
import pytest

from ipvg_eval.leaderboard.study import (
    StudyError,
    audit_table,
    invitation,
    new_annotators,
    open_study,
    overview,
    release,
    votes_table,
)
from ipvg_eval.leaderboard.study.guessing import Guesses
from ipvg_eval.leaderboard.votes import votes_from_table

NO_CHECKS = {"corrupted_per_hundred": 0, "repeats_per_hundred": 0}


@pytest.fixture
def running(make_study, serve_study, walker):
    """A study with `annotators` annotators, its server and a walker for each."""

    def start(annotators: int = 1, *, process: bool = False, **settings):
        created = make_study(annotators=annotators, **settings)
        study = open_study(created.path)
        server = serve_study(created.path, process=process)
        walkers = [
            walker(server.client(), made.token, random.Random(n))
            for n, made in enumerate(new_annotators(study, annotators))
        ]
        return created, study, server, walkers

    return start


def test_a_whole_session_is_exported_in_the_votes_format(running, tmp_path):
    questions = ["overall", {"name": "smile", "text": "Who smiles more?"}]
    created, study, _, (walker,) = running(questions=questions, checks=NO_CHECKS)
    done = walker.walk()
    assert done["code"]
    table = votes_table(study)
    assert list(table) == ["sample", "team_a", "team_b", "winner", "annotator", "question", "time"]
    votes = votes_from_table(table, source="study")
    assert len(votes) == 2 * created.comparisons
    assert votes.questions == ("overall", "smile")
    assert set(table["annotator"]) == {"annotator-0001"}
    audit = audit_table(study)
    given = Counter((row.question, row.winner) for row in audit.itertuples())
    answers = {"left": "a", "right": "b", "draw": "draw"}
    assert given == Counter((question, answers[answer]) for _, question, answer in walker.acknowledged)
    assert len(audit) == len(walker.acknowledged) == 2 * done["total"]
    table.to_csv(tmp_path / "votes.csv", index=False)
    from ipvg_eval.leaderboard import read_votes

    assert len(read_votes(tmp_path / "votes.csv")) == len(votes)


def test_a_vote_waits_for_both_clips(running):
    _, study, _, (walker,) = running()
    state = walker.state()
    vote = {"item": state["item"], "question": "overall", "answer": "left"}
    assert walker.post("vote", **vote).status_code == 409
    walker.post("watched", item=state["item"], side="left").raise_for_status()
    refused = walker.post("vote", **vote)
    assert (refused.status_code, refused.json()["error"]) == (409, "watch everything to the end first")
    walker.post("watched", item=state["item"], side="right").raise_for_status()
    walker.post("vote", **vote).raise_for_status()
    assert len(audit_table(study)) == 1


def test_a_clip_cannot_have_been_watched_before_it_could_end(write_clip, teams, samples, tmp_path):
    from ipvg_eval.leaderboard.study import create_study, read_study_config, session
    from ipvg_eval.leaderboard.study.session import Refused

    long = write_clip(tmp_path / "long.mp4", frames=48)
    slow = [
        type(team)(name=team.name, videos={samples[0].id: lambda: contextlib.nullcontext(long)}, absent={})
        for team in teams[:2]
    ]
    created = create_study(slow, samples[:1], read_study_config(None, annotators=1), tmp_path / "slow")
    study = open_study(created.path)
    annotator = session.annotator_of(study, new_annotators(study, 1)[0].token)
    assert annotator is not None
    item = session.state(study, annotator)["item"]
    with pytest.raises(Refused) as refusal:
        session.watched(study, annotator, item, "left")
    assert 1.0 < refusal.value.wait <= 3.0  # 48 frames at 16 per second
    time.sleep(refusal.value.wait)
    assert session.watched(study, annotator, item, "left")["watched"] == ["left"]


def test_voting_twice_for_another_pair_or_another_question_is_refused(running):
    _, study, _, (walker,) = running()
    first = walker.state()
    second = walker.step(first, "left")
    again = {"item": first["item"], "question": "overall", "answer": "right"}
    assert walker.post("vote", **again).status_code == 409
    walker.watch(second["item"])
    for code, wrong in ((409, {"item": second["item"] + 1}), (400, {"question": "quality"})):
        body = {"item": second["item"], "question": "overall", "answer": "left", **wrong}
        assert walker.post("vote", **body).status_code == code
    assert list(audit_table(study)["winner"]) == ["a"]


def test_undo_goes_back_one_answer_and_keeps_it_on_record(running):
    _, study, _, (walker,) = running()
    first = walker.state()
    assert first["undo"] is None
    second = walker.step(first, "left")
    assert second["undo"] == {"item": first["item"], "question": "overall"}
    assert walker.post("undo", item=second["item"], question="overall").status_code == 409
    back = walker.post("undo", **second["undo"]).raise_for_status().json()
    assert (back["item"], back["watched"]) == (first["item"], ["left", "right"])
    assert walker.post("undo", **second["undo"]).status_code == 409
    walker.step(back, "right")
    audit = audit_table(study)
    assert list(zip(audit["winner"], audit["undone"], strict=True)) == [("a", True), ("b", False)]
    if audit["kind"][0] == "pair":
        assert list(votes_table(study)["winner"]) == ["b"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"item": 1},
        {"item": 1, "question": "overall", "answer": "both"},
        {"item": "1", "question": "overall", "answer": "left"},
        {"item": 1, "question": "overall", "answer": "left", "team": "x"},
        {"item": 2**70, "question": "overall", "answer": "left"},
        {"item": -1, "question": "overall", "answer": "left"},
        {"item": 1, "question": "x" * 100, "answer": "left"},
    ],
)
def test_malformed_votes_are_refused(served, body):
    walker, study, _, _ = served
    before = len(audit_table(study))
    assert walker.post("vote", **body).status_code == 400
    assert len(audit_table(study)) == before


@pytest.mark.parametrize(
    "body",
    [
        b'{"item":NaN,"question":"overall","answer":"left"}',
        b'{"item":-Infinity}',
        b'{"item":1e400,"question":"overall","answer":"left"}',
        rb'{"item":1,"question":"\ud800","answer":"left"}',
        rb'{"\udfff":1}',
        b"[" * 4000,
        b'{"a":' * 600 + b"1" + b"}" * 600,
        b"{",
        b"\xff\xfe",
        b"\xed\xa0\x80",
    ],
    ids=[
        "NaN",
        "infinity",
        "1e400",
        "surrogate",
        "key",
        "nested",
        "objects",
        "cut",
        "bytes",
        "utf",
    ],
)
@pytest.mark.parametrize("path", ["vote", "watched", "undo"])
def test_malformed_json_is_refused_without_a_traceback(served, caplog, body, path):
    walker, study, _, _ = served
    before = len(audit_table(study))
    headers = {"content-type": "application/json"}
    answer = walker.client.post(f"{walker.base}/{path}", content=body, headers=headers)
    assert answer.status_code == 400
    assert set(answer.json()) == {"error"}
    assert len(audit_table(study)) == before
    assert "Traceback" not in caplog.text
    assert not [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")]


def test_every_answer_has_the_security_headers(served):
    walker, _, _, created = served
    state = walker.state()
    paths = [
        walker.base,
        f"{walker.base}/state",
        f"{walker.base}/media/{state['left']}",
        "/",
        "/nothing",
        "/a/wrong",
        "/static/annotate.js",
        "/static/nothing.js",
        f"/admin/{created.admin_secret}",
    ]
    answers = [walker.client.get(path) for path in paths]
    answers.append(walker.post("vote"))
    answers.append(walker.client.post("/nothing", headers={"origin": "https://elsewhere.example"}))
    for answer in answers:
        headers = answer.headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-frame-options"] == "DENY"
        assert "server" not in headers
        assert "access-control-allow-origin" not in headers
    assert answers[1].headers["cache-control"] == "no-store"
    for page in (answers[0].text, answers[8].text):
        assert re.sub(r'<script src="[^"]+" type="module"></script>', "", page).count("<script") == 0
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", page, re.IGNORECASE)


def test_media_come_in_ranges(served):
    walker, study, _, _ = served
    name = walker.state()["left"]
    with study.reading() as reader:
        query = "SELECT c.media FROM item i JOIN clip c ON c.id = i.left_clip WHERE i.left_media = ?"
        file = reader.execute(query, (name,)).fetchone()[0]
    whole = (study.media / file).read_bytes()
    url = f"{walker.base}/media/{name}"
    answer = walker.client.get(url)
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, "video/mp4", whole)
    assert answer.headers["accept-ranges"] == "bytes"
    part = walker.client.get(url, headers={"range": "bytes=10-99"})
    assert (part.status_code, part.content) == (206, whole[10:100])
    assert part.headers["content-range"] == f"bytes 10-99/{len(whole)}"
    assert walker.client.get(url, headers={"range": "bytes=-5"}).content == whole[-5:]
    assert walker.client.get(url, headers={"range": f"bytes={len(whole)}-"}).status_code == 416
    assert walker.client.get(url, headers={"range": "bytes=9-3"}).status_code in (400, 416)


@pytest.mark.parametrize(
    "name",
    [
        "../study.db",
        "..%2fstudy.db",
        "%2e%2e%2fstudy.db",
        "..%5cstudy.db",
        "%2fetc%2fpasswd",
        "/etc/passwd",
        "0" * 32,
        "%00",
        "",
        ".",
        "'; DROP TABLE vote; --",
    ],
)
def test_only_files_of_the_own_sheet_can_be_had(served, name):
    walker, study, server, _ = served
    for base in (f"{walker.base}/media/", "/static/"):
        # Sent as it is: httpx would tidy the path.
        with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
            request = f"GET {base}{name.replace(' ', '%20')} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            connection.sendall(request.encode())
            answer = b"".join(iter(lambda c=connection: c.recv(65536), b""))
        assert answer.split(b" ", 2)[1] in (b"404", b"429", b"405", b"307")
        assert b"SQLite" not in answer
        assert b"root:" not in answer
    own = {walker.state()[side] for side in ("left", "right")}
    with study.reading() as reader:
        rows = reader.execute("SELECT sheet, left_media, right_media FROM item").fetchall()
        files = {row["media"] for row in reader.execute("SELECT media FROM clip")}
    names = {media: row["sheet"] for row in rows for media in (row["left_media"], row["right_media"])}
    assert len(names) == 2 * len(rows)  # a clip that comes again has another name
    assert {names[media] for media in own} == {1}
    foreign = {media for media, sheet in names.items() if sheet != 1}
    for media in foreign | files:
        assert walker.client.get(f"{walker.base}/media/{media}").status_code == 404


def test_a_wrong_token_gets_nothing_and_guessing_is_slowed(running):
    created, study, _, (walker, fresh) = running(annotators=2)
    walker.state()
    codes = [walker.client.get(f"/a/{'x' * 31}{n % 10}/state").status_code for n in range(60)]
    assert set(codes[:30]) == {404}
    assert codes.count(429) >= 15  # one more try every two seconds
    # From now on a secret is not even looked up: a right one gets the same answer as a wrong one.
    for path in (f"/admin/{created.admin_secret}", f"{fresh.base}/state", "/a/nobody"):
        answer = walker.client.get(path)
        while answer.status_code != 429:  # the tries of the seconds that have passed
            assert walker.client.get("/a/nobody").status_code in (404, 429)
            answer = walker.client.get(path)
        assert answer.headers["retry-after"] == "60"
    assert walker.client.get(walker.base).status_code == 200  # who is at work is not held up
    with study.reading() as reader:
        assert reader.execute("SELECT count(*) FROM shown").fetchone()[0] == 1


def test_tries_come_back_with_time_and_by_network():
    now = [0.0]
    guesses = Guesses(burst=3, seconds=2.0, clock=lambda: now[0])
    assert [guesses.allowed("192.0.2.1", f"{n}") for n in range(5)] == [True] * 3 + [False] * 2
    assert guesses.allowed("192.0.2.2", "x")
    now[0] = 2.0
    assert [guesses.allowed("192.0.2.1", f"{n}") for n in range(2)] == [True, False]
    now[0] = 4.0
    for _ in range(9):  # right ones cost nothing, the first time and later
        assert guesses.allowed("192.0.2.1", "right")
        guesses.right("192.0.2.1", "right")
    assert [guesses.allowed("192.0.2.1", f"{n}") for n in range(2)] == [True, False]
    for n in range(3):
        assert guesses.allowed(f"2001:db8::{n}", "x")
    assert not guesses.allowed("2001:db8::ffff:1", "x")  # one network
    assert guesses.allowed("2001:db8:0:1::1", "x")
    for n in range(10_050):
        guesses.allowed(f"a{n}", "x")
    assert not guesses.allowed("a10049", "y") or len(guesses._left) <= 10_000


def test_the_token_of_another_annotator_cannot_answer_for_me(running):
    _, study, _, (one, other) = running(annotators=2)
    state = one.state()
    one.watch(state["item"])
    other.state()
    refused = other.post("vote", item=state["item"], question="overall", answer="left")
    assert refused.status_code == 409
    assert audit_table(study).empty


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://elsewhere.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_requests_from_other_sites_are_refused(served, headers):
    walker, _, server, _ = served
    body = {"item": walker.state()["item"], "side": "left"}
    url = f"{walker.base}/watched"
    assert walker.client.post(url, json=body, headers=headers).status_code == 403
    plain = httpx.post(f"{server.url}{url}", json=body)
    assert plain.status_code == 403  # without the page's own header
    own = {"origin": server.url, "sec-fetch-site": "same-origin"}
    assert walker.client.post(url, json=body, headers=own).status_code == 200


def test_large_bodies_are_refused_whatever_their_header_says(served):
    walker, _, _, _ = served
    url = f"{walker.base}/vote"
    assert walker.client.post(url, content=b"x" * 5000).status_code == 413

    def pieces():
        for _ in range(50):
            yield b"x" * 1000

    with contextlib.suppress(httpx.TransportError):  # the server may close while the rest is being sent
        assert walker.client.post(url, content=pieces()).status_code == 413
    assert walker.client.get(walker.base).status_code == 200


def test_who_fails_the_checks_is_excluded_and_the_pairs_go_to_others(running, walker, real_side):
    checks = {"corrupted_per_hundred": 20, "repeats_per_hundred": 20, "max_share": 0.5}
    _, study, server, (good, bad) = running(annotators=2, checks=checks)

    def careful(state: dict) -> str:
        return real_side(study).get(state["item"], "draw")

    def careless(state: dict) -> str:
        real = real_side(study).get(state["item"])
        return {"left": "right", "right": "left", None: "left"}[real]

    good.walk(careful)
    bad.walk(careless)
    seen = overview(study)
    assert [person.excluded for person in seen.annotators] == [False, True]
    first, second = seen.annotators
    assert (first.corrupted.failed, first.repeated.failed) == (0, 0)
    assert second.corrupted.failed == second.corrupted.answered == 2
    assert second.repeated.failed == second.repeated.answered == 2  # always left, with the sides swapped
    counting = votes_table(study)
    assert set(counting["annotator"]) == {"annotator-0001"}
    audit = audit_table(study)
    assert set(audit.loc[audit["excluded"], "annotator"]) == {"annotator-0002"}
    assert seen.open == seen.wanted - seen.judged > 0
    third = walker(server.client(), new_annotators(study, 1)[0].token)
    third.walk(careful)
    after = overview(study)
    assert (after.open, after.judged) == (0, after.wanted)


def test_released_annotators_keep_their_votes_and_others_finish(running, walker):
    _, study, server, (one,) = running(checks=NO_CHECKS)
    state = one.state()
    for _ in range(5):
        state = one.step(state)
    kept = len(votes_table(study))
    assert release(study, idle_hours=1) == []
    assert release(study, names=("annotator-0001",)) == ["annotator-0001"]
    assert one.client.get(one.base).status_code == 410
    assert one.client.get(f"{one.base}/state").status_code == 409
    assert one.post("watched", item=state["item"], side="left").status_code == 409
    second = walker(server.client(), new_annotators(study, 1)[0].token)
    second.walk()
    seen = overview(study)
    assert (seen.judged, seen.open) == (12, 0)
    assert len(votes_table(study)) == 12
    assert (votes_table(study)["annotator"] == "annotator-0001").sum() == kept


def test_people_join_by_signed_links(make_study, serve_study):
    created = make_study(annotators=2, crowd=True, completion_code="C0DE-7")
    study = open_study(created.path)
    client = serve_study(created.path).client()
    link = invitation(study, "5f3a")
    signed = hmac.new(created.join_key.encode(), b"5f3a", hashlib.sha256).hexdigest()
    assert link == f"/join/5f3a/{signed}"  # as a platform would sign it

    def taken() -> list[str]:
        return [person.pid for person in overview(study).annotators]

    for _ in range(3):  # a preview of the link by some program
        assert client.get(link).status_code == 200
    assert taken() == []
    assert httpx.post(str(client.base_url.join(link))).status_code == 403  # a form of another page
    links = {client.post(link).json()["link"] for _ in range(25)}
    assert len(links) == 1  # nobody is locked out of what they have begun, and nothing grows
    state = client.get(f"{links.pop()}/state").json()
    assert state["position"] == 0
    other = client.post(invitation(study, "77b0")).json()["link"]
    assert client.get(f"{other}/state").json()["item"] != state["item"]
    assert client.post(invitation(study, "late")).status_code == 409  # everything is dealt
    assert taken() == ["5f3a", "77b0"]
    with study.reading() as reader:
        assert reader.execute("SELECT count(*) FROM token").fetchone()[0] == 2
    assert "5f3a" in client.get(f"/admin/{created.admin_secret}").text


@pytest.mark.parametrize("act", ["get", "post"])
def test_nobody_joins_without_a_signature_of_the_own_id(make_study, serve_study, act):
    created = make_study(annotators=2, crowd=True)
    study = open_study(created.path)
    client = serve_study(created.path).client()
    right = invitation(study, "5f3a").rpartition("/")[2]
    for path in (
        "/join/invented",
        f"/join/other/{right}",
        f"/join/5f3a/{right[:-1]}",
        f"/join/5f3a/{right.upper()}",
        "/join/5f3a/%ED%A0%80",
        f"/join/{created.join_key}",
        f"/join/{'x' * 65}/{right}",
    ):
        assert getattr(client, act)(path).status_code == 404
    assert overview(study).taken == 0


def test_more_people_than_the_limit_cannot_join(make_study, serve_study):
    created = make_study(annotators=6, crowd=True, join_limit=2)
    study = open_study(created.path)
    client = serve_study(created.path).client()
    codes = [client.post(invitation(study, f"p{n}")).status_code for n in range(4)]
    assert codes == [200, 200, 409, 409]
    assert client.post(invitation(study, "p0")).status_code == 200


@pytest.mark.parametrize("pid", ["", "a b", "x" * 65, "../x", "..", "<script>", "ü", "a\n"])
def test_ids_that_cannot_be_invited(make_study, pid):
    with pytest.raises(StudyError, match="participant"):
        invitation(open_study(make_study(annotators=1).path), pid)


def test_nobody_joins_a_study_that_is_not_open(served):
    walker, study, _, _ = served
    assert walker.client.post(invitation(study, "x")).status_code == 404


def test_a_missing_video_counts_as_a_loss_if_the_study_says_so(teams, samples, tmp_path):
    import dataclasses

    from ipvg_eval.leaderboard.study import create_study, read_study_config

    without = dataclasses.replace(teams[0], videos={s.id: teams[0].videos[s.id] for s in samples[1:]})
    config = read_study_config(None, missing="loss", annotators=1)
    created = create_study([without, *teams[1:]], samples, config, tmp_path / "study")
    table = votes_table(open_study(created.path))
    assert list(table["annotator"]) == ["no-video", "no-video"]
    for row in table.itertuples():
        loser = row.team_b if row.winner == "a" else row.team_a
        assert (row.sample, loser) == (samples[0].id, "QuokkaVision")
    votes_from_table(table, source="study")
