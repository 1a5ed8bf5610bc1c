import {firstLine} from '../../host/exec/run.ts';
import {printable} from '../../lib/printable.ts';
import {readPorts, resetCounters} from '../count-nft.ts';
import {describeRule, findResponsibleRule} from '../responsible-rule.ts';
import {type Check, type CheckContext, check, firstClosed, untried} from './check.ts';

/**
 * Packets that belong to no connection do not pass. The sender's kernel makes them: it changes the flags
 * of connection requests as they leave. Where a rule of another program accepts all packets to the port before our
 * rules, that they pass says nothing of these: such a rule stays, and its port is told where it is no open one.
 */
export async function runStrayPacketChecks({
	testbed,
	loaded,
	vantagePoint,
	here,
	there,
	opened,
	notClosed,
}: CheckContext): Promise<readonly Check[]> {
	const closed = firstClosed(notClosed.tcp);
	const target = opened.tcp[0]?.first ?? closed;
	const kinds = [
		{name: 'packets that fit no connection (INVALID) do not pass', flags: 'fin|syn', port: target},
		...(closed === undefined
			? []
			: [{name: 'unsolicited ACK packets do not pass', flags: 'ack', port: closed}]),
	];
	const checks: Check[] = [];
	for (const {name, flags, port} of kinds) {
		const stray = `fw_wizard_stray${vantagePoint.family}`;
		const only = `meta nfproto ipv${vantagePoint.family} tcp dport ${port}`;
		const table = `table inet ${stray} { chain out { type filter hook output priority 0; ${only} tcp flags set ${flags}; }; }`;
		const {status, stderr} = await testbed.outside.run('nft', ['-f', '-'], {input: `${table}\n`});
		if (status !== 0 || port === undefined) {
			checks.push(untried(name, vantagePoint, printable(firstLine(stderr), 120)));
			continue;
		}

		await resetCounters(testbed.machine, [vantagePoint.family]);
		await testbed.senders[vantagePoint.family].run('sweep', {
			...{protocol: 'tcp', source: there, target: here, ports: [{first: port, last: port}]},
		});
		const {tcp: arrived} = await readPorts(testbed.machine, 'arrived', vantagePoint.family);
		const {tcp: passed} = await readPorts(testbed.machine, 'passed', vantagePoint.family);
		await testbed.outside.run('nft', ['delete', 'table', 'inet', stray]);
		const earlier =
			passed.length === 0
				? undefined
				: await findResponsibleRule(testbed, loaded, vantagePoint, {protocol: 'tcp', port}, 'open');
		checks.push(
			arrived.length === 0
				? untried(name, vantagePoint, 'the packet did not arrive')
				: earlier !== undefined && !earlier.own
					? untried(name, vantagePoint, `accepted before by ${describeRule(earlier)}`)
					: check(name, vantagePoint, passed.length === 0, `one passed to port ${port}`),
		);
	}

	return checks;
}
