import {beforeAll, describe, expect, test} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {joinedPair} from '../_helpers/lab/pair.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {readSaves} from '../_helpers/samples/saves.ts';
import {PORTS, startTraffic} from '../_helpers/traffic/traffic.ts';

const ROUNDS = rounds(10, 200);
/** Changes that are made before they are undone: twenty are remembered. */
const BATCH = 10;

/** What is opened and closed, beside ports that stay open and one that stays closed. */
const OPENINGS = [
	'9001/tcp',
	'9002',
	'9003/udp limit',
	'9004/tcp from 10.0.0.0/8',
	'9005-9010/tcp comment "some; $(ports)"',
	'9011/tcp until 2037-12-31T00:00:00Z',
	'80 443 from 10.0.0.0/8, 192.0.2.0/24, 2001:db8::/32, fd00::/8',
];

describe.each(mainly('nft'))('open and close beside traffic, %s', (backend) => {
	const lab = useLab();
	let target: Host;
	let probe: Host;

	beforeAll(async () => {
		({target, probe} = await joinedPair(lab, backend));
		await wizardDoes(
			target,
			'apply',
			...[
				...['--role', 'server', '--verdict', 'drop', '--open', `${PORTS.open}`],
				...['--open', `${PORTS.lasting}/tcp`],
			],
		);
	});

	test(
		`${ROUNDS} times in random order leak nothing, lose nothing, and are undone one by one`,
		async () => {
			const first = await readSaves(target);
			const traffic = await startTraffic(target, probe);
			for (let done = 0; done < ROUNDS; done += BATCH) {
				const open = new Set<string>();
				const states = [first];
				for (let round = 0; round < BATCH; round += 1) {
					const opening = OPENINGS[Math.floor(Math.random() * OPENINGS.length)] as string;
					const word = open.has(opening) ? 'close' : 'open';
					await wizardDoes(target, word, opening, '--no-proof');
					open[word === 'open' ? 'add' : 'delete'](opening);
					states.push(await readSaves(target));
				}

				for (const [back, state] of states.slice(0, -1).reverse().entries()) {
					await wizardDoes(target, 'undo');
					expect(await readSaves(target), `${back + 1} undone`).toEqual(state);
				}
			}

			const {counts} = await traffic.stop();
			console.log(`${ROUNDS} changes and as many undone:`, counts);
			for (const {name, arrived, passed} of counts) {
				expect(arrived, name).toBeGreaterThan(100);
				expect(passed, name).toBe(name.includes('shut') ? 0 : arrived);
			}
		},
		rounds(600_000, 3_600_000),
	);
});
