"use strict";
// Every text is put into the page as text and never as HTML.

const REQUEST = 100; // texts of a request
const LISTED = 4; // words that are named below a text, of each kind
const WEAK = 1; // an effect of so much, or the strongest of the text if that is more, has the full colour
const FAINTEST = 0.06; // of the full colour; what would be fainter is left plain

const element = (id) => document.getElementById(id);
const form = element("form"), input = element("text"), answers = element("answers"), token = element("token");
let current = 0; // number of the latest press of Score: what earlier ones still receive is dropped
let explaining = Promise.resolve(); // explanations are asked for one after another

async function ask(path, body) {
  const headers = { "Content-Type": "application/json" };
  if (token.value) headers.Authorization = `Bearer ${token.value}`;
  let response;
  try {
    response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  } catch {
    throw new Error("The server does not answer.");
  }
  const content = await response.json().catch(() => ({}));
  if (response.status === 401) {
    element("token-row").hidden = false;
    token.focus();
  }
  if (!response.ok) throw new Error(content.detail ?? `The server answered ${response.status}.`);
  return content;
}

function textsOf(value, byLine) {
  const texts = byLine ? value.split(/\r?\n/).map((line) => line.trim()) : [value.trim()];
  return texts.filter((text) => text);
}

async function score(event) {
  event?.preventDefault();
  const texts = textsOf(input.value, element("lines").checked);
  const mine = ++current;
  element("message").hidden = true;
  if (!texts.length) return input.focus();
  element("score").disabled = true;
  try {
    const scored = [];
    for (let at = 0; at < texts.length; at += REQUEST) {
      scored.push(...(await ask("predict", { texts: texts.slice(at, at + REQUEST) })));
    }
    if (mine === current) show(texts, scored, mine);
  } catch (error) {
    if (mine === current) say(error);
  } finally {
    if (mine === current) element("score").disabled = false;
  }
}

function say(error) {
  element("message").textContent = error.message;
  element("message").hidden = false;
}

function show(texts, scored, mine) {
  const positive = scored.filter((each) => each.label === "positive").length;
  const negative = scored.length - positive;
  element("summary").textContent =
    scored.length === 1 ? "1 review" : `${scored.length} reviews: ${positive} positive, ${negative} negative`;
  answers.replaceChildren(...texts.map((text, row) => card(text, scored[row])));
  element("results").hidden = false;
  const observer = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      observer.unobserve(target);
      const text = texts[[...answers.children].indexOf(target)];
      explaining = explaining.then(() => (mine === current ? explain(target, text) : undefined));
    }
  });
  for (const each of answers.children) observer.observe(each);
}

function card(text, { label, probability }) {
  const made = element("answer").content.cloneNode(true).firstElementChild;
  const sure = label === "positive" ? probability : 1 - probability;
  const name = made.querySelector(".label");
  name.textContent = label;
  name.classList.add(label);
  made.querySelector(".percent").textContent = sure > 0.999 ? "over 99.9 %" : `${(100 * sure).toFixed(1)} %`;
  made.querySelector(".meter").classList.add(label);
  made.querySelector(".meter i").style.setProperty("--width", `${100 * sure}%`);
  made.querySelector(".text").textContent = text;
  return made;
}

async function explain(made, text) {
  let words;
  try {
    ({ words } = await ask("explain", { text }));
  } catch (error) {
    return say(error);
  }
  const letters = Array.from(text); // positions count characters, and JavaScript's count halves of some
  const full = Math.max(WEAK, ...words.map((each) => Math.abs(each.effect)));
  const parts = [];
  let at = 0;
  for (const each of words.toSorted((one, other) => one.start - other.start)) {
    if (Math.abs(each.effect) < FAINTEST * full) continue;
    parts.push(letters.slice(at, each.start).join(""), marked(letters.slice(each.start, each.end).join(""), each, full));
    at = each.end;
  }
  made.querySelector(".text").replaceChildren(...parts, letters.slice(at).join(""));
  list(made.querySelector(".words"), words);
}

function marked(text, { effect }, full) {
  const mark = document.createElement("mark");
  mark.textContent = text;
  mark.className = effect > 0 ? "positive" : "negative";
  mark.style.setProperty("--strength", (Math.abs(effect) / full).toFixed(3));
  mark.title = signed(effect);
  return mark;
}

const signed = (effect) => `${effect > 0 ? "+" : "−"}${Math.abs(effect).toFixed(2)}`;

/** Names the strongest words, for those who cannot tell the colours apart. */
function list(paragraph, words) {
  const shown = words.slice(0, LISTED).map((each) => {
    const item = document.createElement("span"), word = document.createElement("b");
    word.textContent = each.word.length > 40 ? `${each.word.slice(0, 39)}…` : each.word;
    item.append(word, ` ${signed(each.effect)}`);
    return item;
  });
  paragraph.replaceChildren(...shown.flatMap((item, number) => (number ? [" · ", item] : [item])));
  paragraph.hidden = !shown.length;
}

form.addEventListener("submit", score);
input.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) score(event);
});
element("examples").addEventListener("click", (event) => {
  if (event.target.tagName !== "BUTTON") return;
  input.value = event.target.textContent;
  score();
});
token.value = sessionStorage.getItem("token") ?? "";
token.addEventListener("change", () => sessionStorage.setItem("token", token.value));
