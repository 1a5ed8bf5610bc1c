import {describe, expect, test} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {wizardDoes} from '../_helpers/lab/cli.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {joinedPair} from '../_helpers/lab/pair.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {PORTS, startTraffic} from '../_helpers/traffic/traffic.ts';

const TIMES = rounds(5, 20);
/** Two that differ in all but the ports that the probes go to. */
const POLICIES = [
	['--verdict', 'drop', '--open', '9000-9010', '--helper', 'ftp'],
	['--verdict', 'reset', '--open', '22/tcp limit', '--log', '--no-helper'],
] as const;

describe.each(mainly('legacy'))('while rules are applied anew, %s', (backend) => {
	const lab = useLab();

	test(`nothing leaks and nothing is lost, ${TIMES} times`, async () => {
		const {target, probe} = await joinedPair(lab, backend);
		const apply = async (...flags: readonly string[]) =>
			wizardDoes(target, 'apply', '--role', 'server', '--open', `${PORTS.open}`, ...flags);
		// The port of the session that lasts is open only before it begins.
		await apply('--open', `${PORTS.lasting}/tcp`);
		const traffic = await startTraffic(target, probe);
		for (let round = 0; round < TIMES; round++) {
			await apply(...(POLICIES[round % POLICIES.length] ?? []));
		}

		const {seconds, counts} = await traffic.stop();
		for (const {name, sent, arrived, passed, answered} of counts) {
			const story = `${name}: ${arrived} of ${sent} met the rules, ${passed} passed`;
			// On a busy machine it is not one each millisecond, but not few either.
			expect(arrived, story).toBeGreaterThan(25 * seconds);
			if (name.includes(' shut ')) {
				expect({story, passed, answered}).toEqual({story, passed: 0, answered: 0});
			} else {
				expect(passed, story).toBe(arrived);
			}

			if (name.startsWith('session')) {
				expect(answered, story).toBe(sent);
			}
		}

		expect(counts).toHaveLength(12);
	}, 180_000);
});
