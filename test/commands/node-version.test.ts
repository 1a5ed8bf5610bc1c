import {describe, expect, it} from 'vitest';
import {complainAboutNode} from '../../source/host/machine/node-version.ts';

describe('complainAboutNode', () => {
	it.each(['20.19.0', '20.20.2', '22.0.0', '26.1.0'])('accepts %s', (found) => {
		expect(complainAboutNode('20.19', found)).toBeUndefined();
	});

	it.each(['18.20.8', '20.18.3', '20.9.0', '8.19.0'])('names both versions for %s', (found) => {
		expect(complainAboutNode('20.19', found)).toBe(
			`fw-wizard: Node 20.19 or newer is needed; this is Node ${found}\nFetch a newer one for this run: npx -y -p node@22 -p fw-wizard fw-wizard`,
		);
	});
});
