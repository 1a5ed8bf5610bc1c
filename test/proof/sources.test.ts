import {describe, expect, test} from 'vitest';
import {FAMILIES} from '../../source/lib/network.ts';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {completePolicy} from '../../source/policy/policy.ts';
import {divideSources} from '../../source/proof/divide-sources.ts';
import {planForPolicy} from '../../source/proof/vantage-points.ts';
import {buildRuleSet} from '../../source/ruleset/build.ts';
import {printRestore} from '../../source/ruleset/format-iptables.ts';
import {plannedSource} from '../../source/testbed/load-rules.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {ONE_CARD, prove} from '../_helpers/samples/proofs.ts';

const ETH0 = {name: 'eth0', addresses: ['192.0.2.1/24', '2001:db8:5::1/64']};

/** 1,000 networks, of /24 each, that do not touch. */
const NETWORKS = Array.from(
	{length: 1000},
	(_, index) => `${20 + Math.floor(index / 100)}.${2 * (index % 100)}.7.0/24`,
);
const MANY = policyOf(`22/tcp, ${NETWORKS.map((network) => `443 from ${network}`).join(', ')}`);

function policyOf(openings: string) {
	return completePolicy({role: 'server', openings: parseOpenings(openings, new Map())});
}

async function divide(openings: string) {
	const policy = policyOf(openings);
	const ruleSet = buildRuleSet(policy, {families: FAMILIES});
	const {vantagePoints, edges} = await planForPolicy(policy, [ETH0], undefined);
	const {swept, sampled} = divideSources(vantagePoints, edges, ruleSet, plannedSource(ruleSet));
	return {
		swept: swept.map(({name, kind}) => (kind === 'beside' ? `beside ${name}` : name)),
		sampled: sampled.map(({vantagePoint: {source}}) => source),
	};
}

describe('which sources are tried at every port', () => {
	test('one network of those that the rules treat alike, and strangers', async () => {
		const {swept, sampled} = await divide(
			'22/tcp, 80/tcp from 10.1.0.0/16, 80/tcp from 10.3.0.0/16, 25/tcp from 10.5.0.0/16',
		);
		expect(swept).toEqual(['anywhere', 'anywhere', '10.1.0.0/16', '10.5.0.0/16']);
		expect(sampled).toEqual([
			...['10.2.0.0', '10.3.0.1', '10.4.0.0', '10.6.0.0'],
			...['10.1.0.0', '10.1.255.255', '10.0.255.255', '10.3.0.0', '10.3.255.255', '10.2.255.255'],
			...['10.5.0.0', '10.5.255.255', '10.4.255.255'],
		]);
	});

	test('the neighbour of one network that belongs to another one', async () => {
		const {swept} = await divide('80/tcp from 10.1.0.0/16, 80/tcp from 10.2.0.0/16');
		expect(swept).toEqual(['anywhere', 'anywhere', '10.1.0.0/16']);
	});

	test('a broadcast address of the machine is no source', async () => {
		const {sampled} = await divide('22/tcp, 80/tcp from 192.0.2.254');
		expect(sampled).toEqual(['192.0.2.253']);
	});
});

describe('faults in single ones of a thousand networks', () => {
	const lab = useLab();

	test('are found: a missing rule, half a network, a neighbour, another port', async () => {
		const host = await lab.host();
		await host.ip(ONE_CARD);
		const [missing = '', half = '', wide = '', port = ''] = [499, 599, 699, 799].map(
			(index) => NETWORKS[index],
		);
		for (const rules of buildRuleSet(MANY, {families: FAMILIES}).families) {
			const text = printRestore(rules);
			const faulty = text
				.replace(ruleFor(missing), '')
				.replace(ruleFor(half), (line) => line.replace('.0/24', '.0/25'))
				.replace(ruleFor(wide), (line) => line.replace('7.0/24', '6.0/23'))
				.replace(
					ruleFor(port),
					(line) => `${line}-A FW-WIZARD-INPUT -s ${port} -p tcp --dport 3306 -j ACCEPT\n`,
				);
			expect(faulty === text).toBe(rules.family === 6);
			const program = rules.family === 4 ? 'iptables-restore' : 'ip6tables-restore';
			await host.must(program, ['--noflush'], {input: faulty});
		}

		const {status, stdout} = await prove(host, MANY, '--of', 'running');
		for (const found of [
			`443/tcp is closed from ${missing} over IPv4`,
			`443/tcp is closed from ${half} over IPv4`,
			`443/tcp passes from just outside of ${wide} over IPv4`,
			`3306/tcp passes from ${port} over IPv4`,
		]) {
			expect(stdout).toContain(found);
		}

		expect(stdout).toMatch(/networks, at both ends and just outside \(/);
		expect(status).toBe(1);
	}, 300_000);
});

function ruleFor(network: string): RegExp {
	return new RegExp(`^-A \\S+ -s ${network} .*\\n`, 'm');
}
