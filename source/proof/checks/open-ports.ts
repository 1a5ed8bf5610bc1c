import {PROTOCOLS} from '../../policy/services.ts';
import {type Check, type CheckContext, check} from './check.ts';

/** Of more ports than these, only the first ones of their ranges are tried, as many as this. */
const MOST_PORTS = 8;

/** What listens at an open port can answer: rules for outgoing packets may block what it says. */
export async function runOpenPortChecks({
	testbed,
	vantagePoint,
	here,
	there,
	opened,
	timeout,
}: CheckContext): Promise<readonly Check[]> {
	const ports = PROTOCOLS.flatMap((protocol) =>
		opened[protocol].slice(0, MOST_PORTS).map(({first: port}) => ({protocol, port})),
	);
	return Promise.all(
		ports.map(async ({protocol, port}) => {
			await testbed.inMachine.run('serveEcho', {protocol, address: here, port});
			const {outcome} = await testbed.senders[vantagePoint.family].run('requestEcho', {
				...{protocol, source: there, target: here, port, timeout},
			});
			return check(`${port}/${protocol} answers`, vantagePoint, outcome === 'echo', outcome);
		}),
	);
}
