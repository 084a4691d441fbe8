"""Rewriting prompts against a real HTTP server that speaks the OpenAI format."""

from __future__ import annotations

import base64
import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvg_eval.reference_generator.errors import (
    RewriteFailed,
    RewriterUnusable,
    SampleFailed,
    SettingsError,
)
from ipvg_eval.reference_generator.preset import load_settings
from ipvg_eval.reference_generator.record import read_record, record_path
from ipvg_eval.reference_generator.rewriting import rewriter as instructions
from ipvg_eval.reference_generator.rewriting.answer_cache import CachedRewriter
from ipvg_eval.reference_generator.rewriting.endpoint import EndpointRewriter
from ipvg_eval.reference_generator.rewriting.given import with_given_prompts
from ipvg_eval.reference_generator.rewriting.prompts import prepare_texts
from ipvg_eval.reference_generator.rewriting.rewriter import Request
from ipvg_eval.reference_generator.rewriting.verbatim import inserted_text
from ipvg_eval.reference_generator.run import generate
from ipvg_eval.reference_generator.settings import PromptSettings


class Server:
    """A language model that answers from a list; the last answer stays."""

    def __init__(self):
        self.answers: list = []
        self.requests: list[dict] = []
        self.headers: list[dict] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.requests.append({"path": self.path, **body})
                server.headers.append(dict(self.headers))
                answer = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
                status, content = answer(body) if callable(answer) else answer
                data = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                if status == 429:
                    self.send_header("Retry-After", "7")
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def says(text):
    return 200, {"choices": [{"message": {"role": "assistant", "content": text}}]}


@pytest.fixture
def server():
    made = Server()
    yield made
    made.close()


@pytest.fixture
def ask(server):
    """A rewriter for the server, the pauses it made, and its closing."""
    made = []

    def make(**changes):
        pauses: list[float] = []
        given = {"rewriter": "endpoint", "base_url": server.url, "model": "m", "timeout": 5.0, **changes}
        rewriter = EndpointRewriter(PromptSettings(**given), sleep=pauses.append)
        made.append(rewriter)
        return rewriter, pauses

    yield make
    for rewriter in made:
        rewriter.close()


def test_a_question_is_sent_in_the_openai_format(server, ask, tmp_path, picture, monkeypatch):
    path = tmp_path / "face.png"
    picture(8).save(path)
    server.answers = [says("  an answer \n")]
    monkeypatch.setenv("MY_KEY", "secret-key")
    rewriter, _ = ask(key_variable="MY_KEY", max_tokens=99)
    answer = rewriter.rewrite(Request(instruction="do it", text="a man", picture=path))
    assert answer == "an answer"
    (sent,) = server.requests
    assert sent["path"] == "/v1/chat/completions"
    assert (sent["model"], sent["temperature"], sent["max_tokens"]) == ("m", 0, 99)
    system, user = sent["messages"]
    assert (system["role"], system["content"]) == ("system", "do it")
    text, image = user["content"]
    assert text == {"type": "text", "text": "a man"}
    kind, _, data = image["image_url"]["url"].partition(";base64,")
    assert kind == "data:image/png"
    assert base64.b64decode(data) == path.read_bytes()
    assert server.headers[0]["Authorization"] == "Bearer secret-key"


def test_without_a_key_and_a_picture_none_is_sent(server, ask, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    server.answers = [says("x")]
    ask()[0].rewrite(Request(instruction="i", text="a man"))
    assert "Authorization" not in server.headers[0]
    assert server.requests[0]["messages"][1]["content"] == "a man"


def test_passing_troubles_are_tried_again_with_growing_pauses(server, ask):
    server.answers = [(503, b"busy"), (429, {"error": {"message": "slow down"}}), says("at last")]
    rewriter, pauses = ask(attempts=3)
    assert rewriter.rewrite(Request(instruction="i", text="t")) == "at last"
    assert pauses == [1.0, 7.0]  # the second as the server wished


@pytest.mark.parametrize(
    ("answer", "message", "requests"),
    [
        ((500, {"error": {"message": "no GPU"}}), "status 500: no GPU", 2),
        ((400, {"error": {"message": "too long"}}), "status 400: too long", 1),
        ((200, b"<html>"), "not in the OpenAI format", 1),
        ((200, {"choices": []}), "not in the OpenAI format", 1),
        (says("  "), "is empty", 1),
        (says(None), "is empty", 1),
    ],
)
def test_a_request_without_a_usable_answer_fails_its_sample(server, ask, answer, message, requests):
    server.answers = [answer]
    rewriter, _ = ask(attempts=2)
    with pytest.raises(RewriteFailed, match=message):
        rewriter.rewrite(Request(instruction="i", text="t"))
    assert len(server.requests) == requests


@pytest.mark.parametrize("status", [401, 403, 404])
def test_what_no_retry_can_help_ends_the_run(server, ask, status):
    server.answers = [(status, {"error": {"message": "who are you"}})]
    rewriter, _ = ask()
    with pytest.raises(RewriterUnusable, match="who are you") as raised:
        rewriter.rewrite(Request(instruction="i", text="t"))
    assert "$OPENAI_API_KEY" in raised.value.hint
    assert raised.value.exit_code == 3


def test_a_server_that_does_not_answer_times_out(server, ask):
    asked_again = threading.Event()

    def slow(_):
        asked_again.wait(30)
        return says("late")

    server.answers = [says("x"), slow]
    rewriter, pauses = ask(timeout=0.5, attempts=2)
    rewriter.rewrite(Request(instruction="i", text="t"))
    with pytest.raises(RewriteFailed, match=r"no answer within 0\.5 s"):
        rewriter.rewrite(Request(instruction="i", text="t"))
    asked_again.set()
    assert len(pauses) == 1


def test_a_server_that_was_never_there_ends_the_run(ask):
    rewriter, pauses = ask(base_url="http://127.0.0.1:9/v1", attempts=2)
    with pytest.raises(RewriterUnusable, match="never answered: no connection"):
        rewriter.rewrite(Request(instruction="i", text="t"))
    assert len(pauses) == 1


def test_a_server_that_goes_away_fails_the_sample(ask):
    server = Server()
    server.answers = [says("x")]
    rewriter, _ = ask(base_url=server.url, attempts=2)
    rewriter.rewrite(Request(instruction="i", text="t"))
    server.close()
    rewriter._client.close()
    rewriter._client = type(rewriter._client)(timeout=5.0)  # the server's own end of the connection stays
    with pytest.raises(RewriteFailed, match="no connection"):
        rewriter.rewrite(Request(instruction="i", text="t"))


def test_an_address_that_is_none_ends_the_run(ask):
    rewriter, _ = ask(base_url="localhost/v1")
    with pytest.raises(RewriterUnusable, match="address"):
        rewriter.rewrite(Request(instruction="i", text="t"))


def test_answers_are_kept_until_anything_about_the_question_changes(
    server, ask, tmp_path, picture, monkeypatch
):
    server.answers = [lambda body: says(f"answer {len(server.requests)} of {body['model']}")]
    one, two = tmp_path / "1.png", tmp_path / "2.png"
    picture(8).save(one)
    picture(9).save(two)
    folder = tmp_path / "cache"
    base = Request(instruction="i", text="t", picture=one)
    cached = CachedRewriter(ask()[0], folder)
    first = cached.rewrite(base)
    assert cached.rewrite(base) == first
    assert CachedRewriter(ask()[0], folder).rewrite(base) == first
    assert len(server.requests) == 1
    for other in (replace(base, text="u"), replace(base, instruction="j"), replace(base, picture=two)):
        cached.rewrite(other)
    CachedRewriter(ask(model="n")[0], folder).rewrite(base)
    monkeypatch.setattr("ipvg_eval.reference_generator.rewriting.answer_cache.TEMPLATE_VERSION", 99)
    cached.rewrite(base)
    assert len(server.requests) == 6
    two.write_bytes(one.read_bytes())
    monkeypatch.undo()
    assert cached.rewrite(replace(base, picture=two)) == first, "equal bytes are the same picture"


def test_a_damaged_cache_file_is_asked_for_anew(server, ask, tmp_path):
    server.answers = [says("a")]
    cached = CachedRewriter(ask()[0], tmp_path)
    request = Request(instruction="i", text="t")
    cached.rewrite(request)
    (path,) = tmp_path.rglob("*.json")
    path.write_text("{")
    assert cached.rewrite(request) == "a"
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("caption", "rewritten", "insertion"),
    [
        ("A man runs.", "A man, tall and bearded, runs.", ", tall and bearded,"),
        ("A man runs.", "A man with grey hair runs.", "with grey hair"),
        ("A man runs.", "A man runs.", ""),
        ("A man runs.", '"A man with grey hair runs."', "with grey hair"),
        ("A man\n runs.", "A man with grey hair runs.", "with grey hair"),
        ("A man runs.", "Tall: A man runs.", "Tall:"),
        ("A man runs.", "A man runs. He is tall.", "He is tall."),
        ("A man runs.", "A tall man ran.", None),
        ("A man runs.", "A tall man runs fast.", None),
        ("A man runs.", "a man runs.", None),
        ("A man runs.", "A man", None),
        ("A man runs.", "", None),
        ("A man runs.", "A mantis runs.", None),
        ("一个男人跑步", "一个男人(短发)跑步", "(短发)"),
        ("一个男人跑步", "一个短发男人跑步", "短发"),
    ],
)
def test_the_caption_must_stay_as_it_is(caption, rewritten, insertion):
    assert inserted_text(caption, rewritten) == insertion


@given(
    words=st.lists(
        st.sampled_from(["a", "an", "the", "man", "tall", "tall,", "runs.", "and"]), min_size=1, max_size=8
    ),
    place=st.integers(0, 8),
    more=st.lists(st.sampled_from(["a", "man", "tall,", "runs.", "grey"]), max_size=5),
)
@settings(deadline=None, max_examples=200)
def test_any_insertion_between_words_is_recognised(words, place, more):
    place = min(place, len(words))
    rewritten = [*words[:place], *more, *words[place:]]
    found = inserted_text(" ".join(words), " ".join(rewritten))
    assert found is not None
    # Of several places that explain the answer any may be named, with the same letters.
    assert sorted(found.replace(" ", "")) == sorted("".join(more))


@given(
    words=st.lists(st.sampled_from(["man", "runs", "red", "hat"]), min_size=3, max_size=6),
    place=st.integers(0, 5),
)
@settings(deadline=None, max_examples=100)
def test_a_replaced_word_is_always_noticed(words, place):
    changed = list(words)
    changed[place % len(words)] = "zebra"
    assert inserted_text(" ".join(words), " ".join(changed)) is None


class Canned:
    """A language model with one answer per instruction."""

    name = "canned"

    def __init__(self, answers):
        self.answers = answers
        self.asked = []

    def rewrite(self, request):
        self.asked.append(request)
        return self.answers[request.instruction]

    def close(self):
        pass


def test_the_face_task_falls_back_to_the_caption_with_a_note(jobs):
    system = load_settings("tpige-paper")
    good = prepare_texts(jobs[0], system, Canned({instructions.FACE: "a woman with red hair walks"}))
    assert (good.video, good.notes) == (("a woman with red hair walks",), ())
    bad = prepare_texts(jobs[0], system, Canned({instructions.FACE: "a lady with red hair walks"}))
    assert bad.video == (jobs[0].prompt,)
    assert "changed the caption itself" in bad.notes[0]
    same = prepare_texts(jobs[0], system, Canned({instructions.FACE: jobs[0].prompt}))
    assert "added nothing" in same.notes[0]


def test_the_decoupled_systems_ask_for_video_and_first_frame(jobs):
    model = Canned({instructions.VIDEO: "she walks", instructions.FIRST_FRAME: "she stands"})
    texts = prepare_texts(jobs[0], load_settings("decoupled-ti2v-5b"), model)
    assert (texts.video, texts.picture) == (("she walks",), "she stands")
    assert {request.picture for request in model.asked} == {jobs[0].references[0]}
    plain = prepare_texts(jobs[0], load_settings("decoupled-ti2v-5b"), None)
    assert (plain.video, plain.picture) == ((jobs[0].prompt,), jobs[0].prompt)


def test_the_first_frame_is_written_from_the_video_prompt_or_the_caption(jobs):
    for source, text in (("video", "she walks"), ("caption", jobs[0].prompt)):
        model = Canned({instructions.VIDEO: "she walks", instructions.FIRST_FRAME: "she stands"})
        prepare_texts(jobs[0], load_settings("decoupled-a14b", [f"picture.prompt_from={source}"]), model)
        assert model.asked[-1].text == text


def test_every_labelled_subject_is_described_from_its_own_picture(jobs, tmp_path):
    pictures = tuple(tmp_path / f"{name}.png" for name in ("man", "man2", "dog"))
    job = replace(jobs[2], references=pictures, labels=("man", "man", "dog"), prompt="a man walks a dog")
    man, dog = (instructions.SUBJECT.format(label=label) for label in ("man", "dog"))
    model = Canned({man: "a man with a beard walks a dog", dog: "a man with a beard walks a dog with spots"})
    texts = prepare_texts(job, load_settings("tpige-paper"), model)
    assert (texts.video, texts.notes) == (("a man with a beard walks a dog with spots",), ())
    assert [request.picture for request in model.asked] == [pictures[0], pictures[2]]
    assert model.asked[1].text == "a man with a beard walks a dog"
    careless = Canned({man: "a man with a beard walks a dog", dog: "a cat"})
    texts = prepare_texts(job, load_settings("tpige-paper"), careless)
    assert texts.video == ("a man with a beard walks a dog",), "what was changed is left out, the rest stays"
    assert "changed the caption" in texts.notes[0]


def test_given_prompts_are_read_from_lines_and_from_the_published_form(jobs, tmp_path):
    lines = tmp_path / "prompts.jsonl"
    entries = [{"sample": job.id, "prompt": f"{job.prompt} fast", "picture": "she stands"} for job in jobs]
    lines.write_text("\n".join(json.dumps(entry) for entry in entries))
    first, *_ = with_given_prompts(jobs, lines)
    texts = prepare_texts(first, load_settings("decoupled-a14b"), None)
    assert (texts.video, texts.picture, texts.notes) == (("a woman walks fast",), "she stands", ())
    published = tmp_path / "published.json"
    published.write_text(json.dumps({"id001": {"1": "a woman with red hair walks", "2": "a lady sits"}}))
    good, changed = (
        prepare_texts(job, load_settings("tpige-code"), None)
        for job in with_given_prompts(jobs[:2], published)
    )
    assert (good.video, good.notes) == (("a woman with red hair walks",), ())
    assert (changed.video, len(changed.notes)) == (("a lady sits",), 1)


def test_given_prompts_are_one_per_event(jobs):
    timeline = "0-2s: [walks]; 2-5s: [sits]"
    two = replace(jobs[0], timeline=timeline, given=("she walks", "she sits"))
    assert prepare_texts(two, load_settings("vace-1.3b"), None).video == ("she walks", "she sits")
    with pytest.raises(SampleFailed, match="1 prompts are given for 2 events"):
        prepare_texts(replace(two, given=("she walks",)), load_settings("vace-1.3b"), None)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"sample": "id001/prompt1", "prompt": ""}', "empty or no text"),
        ('{"sample": "id001/prompt1", "promt": "x"}', "unknown key 'promt'"),
        ("no json", "not understood"),
        ('{"id001": {"1": "x"}}', "no prompt for 2 samples, such as id001/prompt2"),
    ],
)
def test_a_file_of_prompts_that_does_not_fit_is_refused(jobs, tmp_path, text, reason):
    path = tmp_path / "prompts.jsonl"
    path.write_text(text)
    with pytest.raises(SettingsError, match=reason):
        with_given_prompts(jobs, path)


def test_the_enhanced_reference_has_its_own_instruction(jobs):
    model = Canned({instructions.FACE: jobs[0].prompt, instructions.REFERENCE: "put her on a beach"})
    texts = prepare_texts(jobs[0], load_settings("tpige-paper", ["picture.use=reference"]), model)
    assert texts.picture == "put her on a beach"


def test_pictures_can_be_kept_from_the_language_model(jobs):
    model = Canned({instructions.FACE: jobs[0].prompt})
    prepare_texts(jobs[0], load_settings("tpige-paper", ["prompt.send_picture=false"]), model)
    assert model.asked[0].picture is None


def test_events_follow_the_caption_of_the_whole_video(jobs):
    system = load_settings("vace-1.3b")
    timeline = "0-2s: [walks]; 2-5s: [sits]"
    whole = prepare_texts(replace(jobs[0], timeline=timeline, prompt="A woman on a beach"), system, None)
    assert whole.video == ("A woman on a beach. walks", "A woman on a beach. sits")
    assert [event.end for event in whole.events] == [2, 5]
    alone = prepare_texts(replace(jobs[0], timeline=timeline, prompt=timeline), system, None)
    assert alone.video == ("walks", "sits")
    switched_off = load_settings("vace-1.3b", ["timeline.mode=global"])
    one = prepare_texts(replace(jobs[0], timeline=timeline, prompt="x"), switched_off, None)
    assert (one.video, one.events) == (("x",), ())
    with pytest.raises(SampleFailed):
        prepare_texts(replace(jobs[0], timeline="none"), system, None)


def test_a_run_records_the_prompt_as_used_and_goes_on_after_a_failed_rewrite(
    server, jobs, tmp_path, fast, monkeypatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def answer(body):
        text = body["messages"][1]["content"][0]["text"]
        if "sits" in text:
            return 400, {"error": {"message": "not today"}}
        return says(text.replace("woman", "woman with red hair"))

    server.answers = [answer]
    changes = [*fast, "prompt.rewriter=endpoint", f"prompt.base_url={server.url}"]
    system = load_settings("tpige-paper", changes, tiny=True)
    outcome = generate(jobs[:2], system, tmp_path / "out")
    assert [record.prompts for record in outcome.made] == [("a woman with red hair walks",)]
    assert [(record.kind, record.sample) for record in outcome.failed] == [("rewriter", jobs[1].id)]
    assert "not today" in read_record(record_path(tmp_path / "out", jobs[1])).reason
    server.answers = [lambda body: says(body["messages"][1]["content"][0]["text"] + " slowly")]
    again = generate(jobs[:2], system, tmp_path / "out")
    assert [record.prompts for record in again.made] == [("a woman sits slowly",)]
    assert len(server.requests) == 3
