import {describe, expect, test} from 'vitest';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {completePolicy, VERDICTS} from '../../source/policy/policy.ts';
import {BACKENDS} from '../_helpers/lab/backends.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {openedPorts, proofOf, spellPorts} from '../_helpers/samples/proofs.ts';

const OPENINGS = parseOpenings('22/tcp, 53, 6000-6063/udp, 8000-8010/tcp limit', new Map());

describe.each(BACKENDS)('without a single listener, %s', (backend) => {
	const lab = useLab();

	test('the same ports pass under every verdict', async () => {
		const host = await lab.host({backend});
		const listeners = await host.must('ss', ['-Hlntu']);
		expect(listeners).toBe('');
		for (const verdict of VERDICTS) {
			const policy = completePolicy({role: 'server', verdict, openings: OPENINGS});
			const {views, proven} = await proofOf(host, policy);
			expect(views.map(({vantage}) => vantage.family)).toEqual([4, 6]);
			for (const {vantage, passed} of views) {
				expect(spellPorts(passed.tcp)).toBe('22 53 8000-8010');
				expect(spellPorts(passed.udp)).toBe('53 6000-6063');
				expect(openedPorts(policy, vantage, 'tcp')).toBe('22 53 8000-8010');
			}

			expect(proven).toBe(true);
		}
	}, 180_000);
});
