import {expect, test} from 'vitest';
import type {WizardRequest} from '../../source/app/wizard-request.ts';
import {type WizardFlags, wizard} from '../../source/commands/wizard.ts';

/** What the wizard starts with, for these flags. */
async function presetOf(flags: WizardFlags): Promise<WizardRequest['preset']> {
	const requests: WizardRequest[] = [];
	await wizard(flags, async (request) => {
		requests.push(request);
		return 0;
	});
	return requests[0]?.preset ?? {};
}

test('published ports: recommended where nothing is said, and as answered where root goes on', async () => {
	expect((await presetOf({})).published).toBeUndefined();
	expect((await presetOf({published: 'policy'})).published).toBe('policy');
	expect((await presetOf({atApply: true, role: 'server'})).published).toBe('leave');
	expect((await presetOf({atApply: true, published: 'policy'})).published).toBe('policy');
});
