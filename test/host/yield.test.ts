import {describe, expect, it} from 'vitest';
import {forEachYielding, yieldToEventLoop} from '../../source/host/exec/yield.ts';
import {readSave} from '../../source/host/netfilter/iptables.ts';
import {parseSave} from '../../source/ruleset/parse-save.ts';
import {FOREIGN_IPV4} from '../_helpers/samples/samples.ts';

/** Counts how often somebody else had a turn, until it is stopped. */
function countTurns(): {readonly count: () => number; readonly stop: () => void} {
	let count = 0;
	let next = setImmediate(function turn() {
		count += 1;
		next = setImmediate(turn);
	});
	return {count: () => count, stop: () => clearImmediate(next)};
}

function workFor(milliseconds: number): void {
	const end = performance.now() + milliseconds;
	while (performance.now() < end);
}

describe('long work', () => {
	it('gives way to others as often as it takes too long', async () => {
		const others = countTurns();
		const done: number[] = [];
		await forEachYielding([1, 2, 3, 4, 5, 6], (item) => {
			workFor(10);
			done.push(item);
		});
		others.stop();
		expect(done).toEqual([1, 2, 3, 4, 5, 6]);
		expect(others.count()).toBeGreaterThanOrEqual(6);
	});

	it('goes on one at a time, in the order in which they came', async () => {
		const others = countTurns();
		const turns = await Promise.all(
			[1, 2, 3, 4].map(async (item) => {
				await yieldToEventLoop();
				return {item, turn: others.count()};
			}),
		);
		others.stop();
		expect(turns.map(({item}) => item)).toEqual([1, 2, 3, 4]);
		expect(new Set(turns.map(({turn}) => turn)).size).toBe(4);
	});

	it('reads a save as in one go, less the lines that are left out', async () => {
		const isDrop = (line: string) => line.endsWith(' -j DROP');
		expect(await readSave(FOREIGN_IPV4, 4)).toEqual(parseSave(FOREIGN_IPV4, 4));
		const less = FOREIGN_IPV4.split('\n').filter((line) => !isDrop(line));
		expect(less.join('\n')).not.toBe(FOREIGN_IPV4);
		expect(await readSave(FOREIGN_IPV4, 4, isDrop)).toEqual(parseSave(less.join('\n'), 4));
	});
});
