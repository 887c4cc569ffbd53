import { type DirtShares, disorderedPerEvent, EXTRA_KINDS, extrasPerEvent } from './dirt.js';
import type { EventLayout } from './event-layout.js';
import type { Film, Films, Profile, Scene } from './films.js';
import * as abi from './load-abi.js';
import type { LoadModule } from './load-module.js';

/** Lays layout, films and the shares of dirt where the load's module reads them. */

export interface LoadTableOptions {
  layout: EventLayout;
  films: Films;
  partitions: number;
  startMs: number;
  /** Users stay away for that long, and `breakMsMean` on average on top of it. */
  awayMsMin: number;
  breakMsMean: number;
  dirt: DirtShares;
}

/** Texts are copied in whole vectors. */
const READ_BEHIND_BYTES = 16;

export interface LoadTables {
  /** Where MODEL_BYTES lie. */
  model: number;
  /** By their number. */
  scenes: readonly Scene[];
}

export function layTables(module: LoadModule, options: LoadTableOptions): LoadTables {
  const { layout, films, partitions, startMs, awayMsMin, breakMsMean, dirt } = options;
  const model = module.reserve(abi.MODEL_BYTES);
  const before = [
    layout.beforeId,
    layout.beforeTime,
    layout.beforeFirst,
    layout.beforeSecond,
    layout.beforeTail,
  ].map((bytes) => films.pieces.idOf(bytes.toString()));
  const pieces = layPieces(module, films);
  const all = films.profiles.flatMap((profile) => profile.films);
  const scenes = all.flatMap((film) => film.scenes);
  const places = {
    profiles: layProfiles(module, films.profiles),
    films: layFilms(module, all),
    scenes: layScenes(module, scenes, pieces),
    other: module.reserve(abi.RECORD_BYTES_MAX + READ_BEHIND_BYTES),
  };
  const { view } = module;
  const words: [number, number][] = [
    [abi.M_PROFILES, places.profiles],
    [abi.M_PROFILE_COUNT, films.profiles.length],
    [abi.M_FILMS, places.films],
    [abi.M_SCENES, places.scenes],
    [abi.M_USER_FIRST, layout.userFirst ? 1 : 0],
    [abi.M_DIGITS, layout.digits],
    [abi.M_USER_NUMBER_MIN, layout.userNumberMin],
    [abi.M_KEY_BYTES, layout.keyBytes],
    [abi.M_BYTES_MIN, layout.bytesMin],
    ...before.map((id, index): [number, number] => [
      abi.M_BEFORE_ID + 4 * index,
      pieces + abi.PIECE_BYTES * id,
    ]),
    [abi.M_PIECES, pieces],
    [abi.M_PIECE_COUNT, films.pieces.size],
    [abi.M_PARTITIONS, partitions],
    [abi.M_IS_DIRTY, Object.values(dirt).some((share) => share > 0) ? 1 : 0],
    [abi.M_OTHER, places.other],
  ];
  for (const [at, word] of words) view.setUint32(model + at, word, true);
  view.setFloat64(model + abi.M_START_MS, startMs, true);
  view.setFloat64(model + abi.M_AWAY_MS_MIN, awayMsMin, true);
  view.setFloat64(model + abi.M_BREAK_MS_MEAN, breakMsMean, true);
  view.setFloat64(model + abi.M_DISORDERED, disorderedPerEvent(dirt), true);
  const extras = extrasPerEvent(dirt);
  EXTRA_KINDS.forEach((kind, index) => {
    view.setFloat64(model + abi.M_EXTRAS + 8 * index, extras[kind], true);
  });
  module.exports.modelAt(model);
  return { model, scenes };
}

function layPieces(module: LoadModule, { pieces }: Films): number {
  const texts = Array.from({ length: pieces.size }, (_, id) => pieces.bytes(id));
  const table = module.reserve(abi.PIECE_BYTES * texts.length);
  let at = module.reserve(texts.reduce((sum, { length }) => sum + length, READ_BEHIND_BYTES));
  const { bytes, view } = module;
  texts.forEach((text, id) => {
    const piece = table + abi.PIECE_BYTES * id;
    view.setUint32(piece + abi.PIECE_TEXT, at, true);
    view.setUint32(piece + abi.PIECE_LENGTH, text.length, true);
    view.setInt32(piece + abi.PIECE_STOOD, -1, true);
    bytes.set(text, at);
    at += text.length;
  });
  return table;
}

function layProfiles(module: LoadModule, profiles: readonly Profile[]): number {
  const table = module.reserve(abi.PROFILE_BYTES * profiles.length);
  const { view } = module;
  let film = 0;
  profiles.forEach(({ films, durationMsMean, durationMsMax }, index) => {
    const at = table + abi.PROFILE_BYTES * index;
    view.setUint32(at + abi.PROFILE_FILM, film, true);
    view.setUint32(at + abi.PROFILE_FILMS, films.length, true);
    view.setFloat64(at + abi.PROFILE_MEAN_MS, durationMsMean, true);
    view.setFloat64(at + abi.PROFILE_MAX_MS, durationMsMax, true);
    film += films.length;
  });
  return table;
}

function layFilms(module: LoadModule, films: readonly Film[]): number {
  const table = module.reserve(abi.FILM_BYTES * films.length);
  const { view } = module;
  let scene = 0;
  films.forEach(({ scenes, durationMs }, index) => {
    const at = table + abi.FILM_BYTES * index;
    view.setUint32(at + abi.FILM_SCENE, scene, true);
    view.setUint32(at + abi.FILM_SCENES, scenes.length, true);
    view.setFloat64(at + abi.FILM_MS, durationMs, true);
    scene += scenes.length;
  });
  return table;
}

function layScenes(module: LoadModule, scenes: readonly Scene[], pieces: number): number {
  const table = module.reserve(abi.SCENE_BYTES * scenes.length);
  let field = module.reserve(4 * scenes.reduce((sum, { fields }) => sum + fields.length, 0));
  const { view } = module;
  scenes.forEach(({ fields, tailBytes, pauseMs }, index) => {
    const at = table + abi.SCENE_BYTES * index;
    view.setUint32(at + abi.SCENE_FROM, field, true);
    for (const id of fields) {
      view.setUint32(field, pieces + abi.PIECE_BYTES * id, true);
      field += 4;
    }
    view.setUint32(at + abi.SCENE_TO, field, true);
    view.setUint32(at + abi.SCENE_TAIL_BYTES, tailBytes, true);
    view.setFloat64(at + abi.SCENE_PAUSE_MS, pauseMs, true);
  });
  return table;
}
