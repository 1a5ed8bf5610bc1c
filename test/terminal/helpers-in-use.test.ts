import {describe, expect, test} from 'vitest';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {INSIDE, IPV6, joinedPair, serve} from '../_helpers/lab/pair.ts';
import {startServer} from '../_helpers/lab/programs.ts';
import {useTerminals} from '../_helpers/terminal/terminal.ts';

/** Connects to where the words of socat(1) say, says so, and stays. */
const CLIENT = 'sleep 300 | socat -d -d - "$1"';

describe('protocols that need a helper', () => {
	const lab = useLab();
	const terminals = useTerminals();

	test('are found by clients of FTP and SIP and a server of PPTP, not by one of IRC or over loopback', async () => {
		const {target, probe} = await joinedPair(lab, 'nft');
		await serve(probe, 'tcp:21');
		await serve(target, 'tcp:1723', 'tcp:6667');
		const join = async ({enter}: typeof target, to: string) =>
			startServer([...enter, 'sh', '-c', CLIENT, 'sh', to], /starting data transfer loop/);
		const joined = await Promise.all([
			join(target, `TCP:${INSIDE.probe}:21`),
			join(target, `UDP6:[${IPV6.probe}]:5060`),
			join(target, 'TCP:127.0.0.1:6667'),
		]);
		const terminal = terminals.wizard([], {...target, columns: 100, rows: 40});
		// IRC needs it as a client alone, PPTP as a server too.
		expect(await terminal.waitFor('Review this setup')).toMatch(
			/^ +Helpers +none +ftp, sip, pptp may need one: key h$/m,
		);
		terminal.type('h');
		await terminal.waitFor('[ ] ftp');
		terminal.press('ctrlC');
		await terminal.ended;
		for (const one of joined) {
			await one.stop();
		}
	});
});
