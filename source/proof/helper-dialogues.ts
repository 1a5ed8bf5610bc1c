import {type HelperName, helperOf} from '../policy/helpers.ts';
import {type Check, check, named, PATIENCE, type Stage} from './dialogues.ts';

/** Protocols of which no small dialogue shows what the helper does. */
const UNTRIED: Readonly<Partial<Record<HelperName, string>>> = {
	irc: 'DCC needs a chat between two people; its rules are loaded and read back',
	sip: 'a call needs a registrar; its rules are loaded and read back',
	pptp: 'GRE cannot be sent here; its rules are loaded and read back',
	h323: 'its messages are ASN.1; its rules are loaded and read back',
	amanda: 'needs Amanda itself; its rules are loaded and read back',
	sane: 'needs saned; its rules are loaded and read back',
	'netbios-ns': 'needs a broadcast network; its rules are loaded and read back',
	snmp: 'needs a broadcast network; its rules are loaded and read back',
};

/** Each helper of the policy, through a small dialogue of its protocol. */
export async function proveHelpers(stage: Stage): Promise<readonly Check[]> {
	const {policy, vantage} = stage;
	const chosen = policy.helpers.filter((name) => helperOf(name).families.includes(vantage.family));
	const checks: Check[] = [];
	for (const name of chosen) {
		const reason = UNTRIED[name];
		if (reason !== undefined) {
			checks.push({name: named(`helper ${name}`, vantage), result: 'untried', detail: reason});
		} else if (name === 'ftp') {
			checks.push(...(await ftp(stage)));
		} else {
			checks.push(await tftp(stage));
		}
	}

	return checks;
}

/** Active as the client; passive as the server, where its port is open. */
async function ftp({world, vantage, here, there, opened}: Stage): Promise<readonly Check[]> {
	const port = 21;
	const sender = world.senders[vantage.family];
	await sender.ask('serveFtp', {address: there, port});
	const active = await world.inMachine.ask('fetchFtp', {
		...{mode: 'active', source: here, target: there, port, timeout: 2 * PATIENCE},
	});
	const asClient = check('active FTP as a client', vantage, active, 'no data connection came');
	if (!opened.tcp.some(({first, last}) => first <= port && port <= last)) {
		return [asClient];
	}

	await world.inMachine.ask('serveFtp', {address: here, port});
	const passive = await sender.ask('fetchFtp', {
		...{mode: 'passive', source: there, target: here, port, timeout: 2 * PATIENCE},
	});
	return [asClient, check('passive FTP as a server', vantage, passive, 'no data connection came')];
}

async function tftp({world, vantage, here, there}: Stage): Promise<Check> {
	const port = 69;
	await world.senders[vantage.family].ask('serveTftp', {address: there, port});
	const came = await world.inMachine.ask('fetchTftp', {
		...{source: here, target: there, port, timeout: PATIENCE},
	});
	return check('TFTP as a client', vantage, came, 'no block came');
}
