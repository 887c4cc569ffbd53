import {
  FILM_BYTES, FILM_MS, FILM_SCENE, FILM_SCENES, M_AWAY_MS_MIN, M_BREAK_MS_MEAN, M_FILMS, M_PARTITIONS, M_PROFILE_COUNT,
  M_PROFILES, M_SCENES, M_START_MS, M_USER_FIRST, M_USER_NUMBER_MIN, P_EVENT_ID, P_EVENT_MS, P_FIRST, P_IN_SLOT, P_NUMBER,
  P_PRODUCED_MS, P_SCENE, P_SESSION_ID, P_SLOT, P_SLOTS, P_STATE, P_TURN, P_USER_NUMBER, P_USERS, P_WORDS, PROFILE_BYTES,
  PROFILE_FILM, PROFILE_FILMS, PROFILE_MAX_MS, PROFILE_MEAN_MS, SCENE_BYTES, SCENE_PAUSE_MS, SLOT_MS, SLOTS, U_DUE, U_FILM,
  U_NEXT, U_NUMBER, U_SESSION, U_STEP, USER_BYTES,
} from '../load-abi';
import { model } from './model';
import { placeSession } from './session-key';
import { below, exponential, float, fourWords } from './words';

/**
 * The users of one partition, who come, play a film and go, in order of event time. It begins in the midst of life: as many
 * are on the site at the first moment as at any later one.
 *
 * Who does something when is a wheel of slots of 100 ms, so an event costs a few memory accesses, however many users there are:
 * a list of users a slot, whose things of longer than a turn of the wheel are simply met and put back. Within a slot events are
 * spread evenly. Memory: 32 bytes a user, half a mebibyte for the wheel.
 */

const SLOT_MASK: i32 = SLOTS - 1;
const NOBODY: i32 = -1;
/** Of the mean; longer breaks are cut. */
const BREAK_MEANS_MAX: f64 = 20;
const DUE_MAX: f64 = 2147483647;

/** Puts all users where the crowd's first moment finds them. */
export function settle(p: usize): void {
  memory.fill(load<u32>(p, P_SLOTS), 0xff, SLOTS * 4);
  store<i32>(p, -1, P_SLOT);
  store<i32>(p, NOBODY, P_FIRST);
  const users = load<i32>(p, P_USERS);
  for (let user = 0; user < users; user++) settleUser(p, user);
}

/** Where event time stands. */
// @ts-ignore: decorator
@inline
export function nowMs(p: usize): f64 {
  return load<f64>(model, M_START_MS) + <f64>load<i32>(p, P_SLOT) * SLOT_MS;
}

/** Is there an event before `untilMs`? To the slot. Without users there is none, ever. */
export function hasEvent(p: usize, untilMs: f64): bool {
  if (load<i32>(p, P_USERS) == 0) return false;
  const states: usize = load<u32>(p, P_STATE);
  while (true) {
    while (load<i32>(p, P_FIRST) == NOBODY) {
      if (nowMs(p) + SLOT_MS >= untilMs) return false;
      openSlot(p);
    }
    const user = load<i32>(p, P_FIRST);
    const state = states + <usize>user * USER_BYTES;
    const due = load<i32>(state, U_DUE);
    if (due <= load<i32>(p, P_SLOT)) return true;
    // it is meant in a later turn of the wheel
    store<i32>(p, load<i32>(state, U_NEXT), P_FIRST);
    push(p, user, due);
  }
}

/** Takes the next event, which there is, into the partition's draft. */
export function takeEvent(p: usize): void {
  const user = load<i32>(p, P_FIRST);
  const state = <usize>load<u32>(p, P_STATE) + <usize>user * USER_BYTES;
  store<i32>(p, load<i32>(state, U_NEXT), P_FIRST);
  const turn = load<u32>(p, P_TURN);
  store<u32>(p, turn + 1, P_TURN);
  act(p, user, state, nowMs(p) + <f64>((turn * SLOT_MS) / load<u32>(p, P_IN_SLOT)));
}

function openSlot(p: usize): void {
  const states: usize = load<u32>(p, P_STATE);
  const slot = load<i32>(p, P_SLOT) + 1;
  store<i32>(p, slot, P_SLOT);
  const entry = <usize>load<u32>(p, P_SLOTS) + <usize>((slot & SLOT_MASK) << 2);
  const first = load<i32>(entry);
  if (first == NOBODY) return;
  store<i32>(p, first, P_FIRST);
  store<i32>(entry, NOBODY);
  store<i32>(p, 0, P_TURN);
  let due = 0;
  for (let user = first; user != NOBODY; ) {
    const state = states + <usize>user * USER_BYTES;
    if (load<i32>(state, U_DUE) <= slot) due++;
    user = load<i32>(state, U_NEXT);
  }
  store<i32>(p, due, P_IN_SLOT);
}

function act(p: usize, user: i32, state: usize, timeMs: f64): void {
  const profile = profileOf(state);
  const step = <u32>load<u16>(state, U_STEP);
  if (step == 0) begin(p, state, profile);
  const film = filmOf(profile, load<u16>(state, U_FILM));
  const sceneNumber = load<u32>(film, FILM_SCENE) + step;
  const words = p + P_WORDS;
  store<u32>(p, sceneNumber, P_SCENE);
  store<f64>(p, timeMs, P_EVENT_MS);
  store<f64>(p, timeMs, P_PRODUCED_MS);
  store<u32>(p, load<u32>(model, M_USER_NUMBER_MIN) + load<u32>(state, U_NUMBER), P_USER_NUMBER);
  fourWords(words, p + P_EVENT_ID);
  v128.store(p + P_SESSION_ID, v128.load(state + U_SESSION));
  let waitMs = load<f64>(<usize>load<u32>(model, M_SCENES) + <usize>sceneNumber * SCENE_BYTES, SCENE_PAUSE_MS);
  if (step + 1 == load<u32>(film, FILM_SCENES)) {
    store<u16>(state, 0, U_STEP);
    const means = exponential(words);
    waitMs = load<f64>(model, M_AWAY_MS_MIN) + load<f64>(model, M_BREAK_MS_MEAN) * Math.min(means, BREAK_MEANS_MAX);
  } else store<u16>(state, <u16>(step + 1), U_STEP);
  pushAt(p, user, timeMs + waitMs);
}

// @ts-ignore: decorator
@inline
function profileOf(state: usize): usize {
  const number = load<u32>(state, U_NUMBER) % load<u32>(model, M_PROFILE_COUNT);
  return <usize>load<u32>(model, M_PROFILES) + <usize>number * PROFILE_BYTES;
}

// @ts-ignore: decorator
@inline
function filmOf(profile: usize, film: u32): usize {
  return <usize>load<u32>(model, M_FILMS) + <usize>(load<u32>(profile, PROFILE_FILM) + film) * FILM_BYTES;
}

function begin(p: usize, state: usize, profile: usize): void {
  const words = p + P_WORDS;
  store<u16>(state, <u16>below(words, load<u32>(profile, PROFILE_FILMS)), U_FILM);
  fourWords(words, state + U_SESSION);
  if (load<u32>(model, M_USER_FIRST) != 0) return;
  placeSession(state + U_SESSION, words, load<u32>(p, P_NUMBER), load<u32>(model, M_PARTITIONS));
}

/** Puts a user where the crowd's first moment finds him: within a visit, the likelier the longer it is, or away. */
function settleUser(p: usize, user: i32): void {
  const words = p + P_WORDS;
  const state = <usize>load<u32>(p, P_STATE) + <usize>user * USER_BYTES;
  const profile = profileOf(state);
  const startMs = load<f64>(model, M_START_MS);
  const awayMsMin = load<f64>(model, M_AWAY_MS_MIN);
  const breakMsMean = load<f64>(model, M_BREAK_MS_MEAN);
  const meanMs = load<f64>(profile, PROFILE_MEAN_MS);
  if (float(words) * (meanMs + awayMsMin + breakMsMean) >= meanMs) {
    // what is left of a break that one comes upon by chance
    const isCertain = float(words) * (awayMsMin + breakMsMean) < awayMsMin;
    const leftMs = isCertain ? float(words) * awayMsMin : awayMsMin + breakMsMean * exponential(words);
    pushAt(p, user, startMs + leftMs);
    return;
  }
  begin(p, state, profile);
  const films = load<u32>(profile, PROFILE_FILMS);
  const maxMs = load<f64>(profile, PROFILE_MAX_MS);
  while (load<f64>(filmOf(profile, load<u16>(state, U_FILM)), FILM_MS) <= float(words) * maxMs) {
    store<u16>(state, <u16>below(words, films), U_FILM);
  }
  const film = filmOf(profile, load<u16>(state, U_FILM));
  const scenes = load<u32>(film, FILM_SCENES);
  let scene = <usize>load<u32>(model, M_SCENES) + <usize>load<u32>(film, FILM_SCENE) * SCENE_BYTES;
  let leftMs = float(words) * load<f64>(film, FILM_MS);
  let step: u32 = 0;
  for (; step + 1 < scenes && leftMs > load<f64>(scene, SCENE_PAUSE_MS); step++) {
    leftMs -= load<f64>(scene, SCENE_PAUSE_MS);
    scene += SCENE_BYTES;
  }
  store<u16>(state, <u16>min<u32>(step + 1, scenes - 1), U_STEP);
  pushAt(p, user, startMs + Math.max(0, load<f64>(scene, SCENE_PAUSE_MS) - leftMs));
}

function pushAt(p: usize, user: i32, dueMs: f64): void {
  const due = Math.floor((dueMs - load<f64>(model, M_START_MS)) / <f64>SLOT_MS);
  push(p, user, <i32>Math.min(due, DUE_MAX));
}

/** What is due in the slot under way comes in the next one. */
function push(p: usize, user: i32, due: i32): void {
  const slot = max<i32>(due, load<i32>(p, P_SLOT) + 1);
  const state = <usize>load<u32>(p, P_STATE) + <usize>user * USER_BYTES;
  const entry = <usize>load<u32>(p, P_SLOTS) + <usize>((slot & SLOT_MASK) << 2);
  store<i32>(state, slot, U_DUE);
  store<i32>(state, load<i32>(entry), U_NEXT);
  store<i32>(entry, user);
}
