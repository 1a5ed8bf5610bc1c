import {setTimeout as delay} from 'node:timers/promises';
import type {KernelHelper} from '../../policy/helpers.ts';
import {amanda} from './amanda.ts';
import {broadcast} from './broadcast.ts';
import {ftp} from './ftp.ts';
import {q931, ras} from './h323.ts';
import {irc} from './irc.ts';
import {type Dialogue, dial, type Line, type Part, takeCalls} from './line.ts';
import {pptp} from './pptp.ts';
import {sane} from './sane.ts';
import {sip} from './sip.ts';
import {tftp} from './tftp.ts';

/** What shows, of each helper, whether it works. */
const CHECK_RUNNERS: Readonly<Record<KernelHelper, Dialogue>> = {
	ftp,
	tftp,
	irc,
	sip,
	pptp,
	amanda,
	sane,
	RAS: ras,
	'Q.931': q931,
	'netbios-ns': broadcast,
	snmp: broadcast,
};

export type Trial = Part & {readonly helper: KernelHelper};

/** Takes calls, until the agent ends. */
export async function serve({helper, ...part}: Trial): Promise<void> {
	await takeCalls(part, async (line) => CHECK_RUNNERS[helper].answer(line, part));
}

export type Call = Trial & {
	/** Milliseconds. */
	readonly timeout: number;
};

/** Calls. @returns whether what the helper is for has come in */
export async function call({helper, timeout, ...part}: Call): Promise<boolean> {
	let line: Line | undefined;
	const runCheck = async () => {
		line = await dial(part);
		const ended = line.ended.then(() => Promise.reject(new Error('the line has ended')));
		await Promise.race([CHECK_RUNNERS[helper].ask(line, part), ended]);
		return true;
	};
	try {
		return await Promise.race([runCheck().catch(() => false), delay(timeout, false)]);
	} finally {
		line?.close();
	}
}
