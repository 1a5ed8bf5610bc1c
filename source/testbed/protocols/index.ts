import {setTimeout as delay} from 'node:timers/promises';
import type {KernelHelper} from '../../policy/helpers.ts';
import {amanda} from './amanda.ts';
import {broadcast} from './broadcast.ts';
import {type Channel, connect, type Exchange, type ProtocolEnds, serve} from './channel.ts';
import {ftp} from './ftp.ts';
import {q931, ras} from './h323.ts';
import {irc} from './irc.ts';
import {pptp} from './pptp.ts';
import {sane} from './sane.ts';
import {sip} from './sip.ts';
import {tftp} from './tftp.ts';

/** The protocol that shows of each helper whether it works. */
const PROTOCOLS: Readonly<Record<KernelHelper, ProtocolEnds>> = {
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

export type HelperExchange = Exchange & {readonly helper: KernelHelper};

/** Runs the server's end until the agent ends. */
export async function runHelperServer({helper, ...exchange}: HelperExchange): Promise<void> {
	await serve(exchange, async (channel) => PROTOCOLS[helper].serve(channel, exchange));
}

type HelperClient = HelperExchange & {
	/** Milliseconds. */
	readonly timeout: number;
};

/** Runs the client's end once. @returns whether what the helper is for has arrived */
export async function runHelperClient({
	helper,
	timeout,
	...exchange
}: HelperClient): Promise<boolean> {
	let channel: Channel | undefined;
	const runOnce = async () => {
		channel = await connect(exchange);
		const closed = channel.closed.then(() => Promise.reject(new Error('the channel was closed')));
		await Promise.race([PROTOCOLS[helper].request(channel, exchange), closed]);
		return true;
	};
	try {
		return await Promise.race([runOnce().catch(() => false), delay(timeout, false)]);
	} finally {
		channel?.close();
	}
}
