// Judges documents and feeds by OpenActive's own validators: one JSON request a line in, one JSON answer a line out.
//
//   node validate.mjs [CACHE]     CACHE: a folder for the vocabularies that the validator reads
//
//   {"mode": "C1Response", "data": {...}}                  a document, in a validation mode of the data model validator
//   {"rpde": {"url": ...}}                                 a feed, followed from that URL to its end
//   {"rpde": {"url", "body", "headers", "status",          one page that was already fetched; pages sent with the same
//             "feed": "a name", "orders": false}}          "feed" are judged together, as pages of one feed
//
// The answer is {"failures": [{"path": ..., "message": ...}]}, or {"error": ...} where nothing could be judged.
import { createInterface } from 'node:readline';
import dataModelValidator from '@openactive/data-model-validator';
import dataModels from '@openactive/data-models';
import rpdeValidator from '@openactive/rpde-validator';

const { validate } = dataModelValidator;
const { FeedPageChecker, RpdeValidator } = rpdeValidator;
const MOST_PAGES = 1000;
const MODES = new Set(
  dataModels.getMetaData('latest').validationModeGroups
    .flatMap(({ validationModeList }) => validationModeList.map(({ validationMode }) => validationMode)),
);
const cache = process.argv[2];
const checkers = new Map();

// Standard output carries answers only.
console.log = console.error;

function failures(results, pathOf) {
  return results
    .filter(({ severity }) => severity === 'failure')
    .map((result) => ({ path: pathOf(result), message: result.message.split('\n')[0] }));
}

async function judgeDocument({ mode, data }) {
  // The validator itself takes any mode and then leaves out the rules of the one that was meant.
  if (!MODES.has(mode)) throw new Error(`No validation mode "${mode}"; there are: ${[...MODES].join(', ')}`);
  const options = { loadRemoteJson: true, remoteJsonCacheTimeToLive: 3600, validationMode: mode };
  const results = await validate(data, cache ? { ...options, remoteJsonCachePath: cache } : options);
  return failures(results, ({ path }) => path);
}

function judgePage({ url, body, headers = {}, status = 200, feed = null, orders = false }) {
  // The rules on order and duplicates look at the pages before, so a feed keeps its checker.
  const pages = (feed !== null && checkers.get(feed)) || { checker: new FeedPageChecker(), count: 0 };
  if (feed !== null) checkers.set(feed, pages);
  const header = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const results = pages.checker.validateRpdePage({
    url,
    json: body,
    pageIndex: pages.count,
    contentType: header['content-type'] ?? '',
    cacheControl: header['cache-control'] ?? '',
    status,
    isInitialHarvestComplete: false,
    isOrdersFeed: orders,
  });
  pages.count += 1;
  return failures(results, () => url);
}

async function judgeFeed({ url }) {
  // The validator passes over a page that it cannot fetch, so what it asked for is compared with what it got.
  const asked = new Set();
  const logCallback = ({ message }) => {
    const loading = /^Loading (.*)\.\.\.$/.exec(message);
    const loaded = /^Loaded (.*)$/.exec(message);
    if (loading) asked.add(loading[1]);
    if (loaded) asked.delete(loaded[1]);
  };
  const log = await RpdeValidator(url, { pageLimit: MOST_PAGES, logCallback });
  const found = log.pages.flatMap((page) => failures(page.errors, () => page.url));
  return [...found, ...[...asked].map((page) => ({ path: page, message: 'The page could not be fetched.' }))];
}

async function answer(line) {
  const request = JSON.parse(line);
  if (!request.rpde) return judgeDocument(request);
  return 'body' in request.rpde ? judgePage(request.rpde) : judgeFeed(request.rpde);
}

for await (const line of createInterface({ input: process.stdin })) {
  let reply;
  try {
    reply = { failures: await answer(line) };
  } catch (error) {
    reply = { error: String(error.stack || error) };
  }
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
