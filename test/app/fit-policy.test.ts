import {expect, test} from 'vitest';
import {fitTo, KEEPS_ALL, planFitted} from '../../source/app/fit-policy.ts';
import {KEEP_EXISTING} from '../../source/existing/cleanup-plan.ts';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {completePolicy} from '../../source/policy/policy.ts';
import {OWN_SERVICES} from '../../source/policy/services.ts';
import {FACTS} from '../_helpers/samples/apply-facts.ts';

const COMMENTED = policyOf('22/tcp comment "my own", 80/tcp');
const ENDING = policyOf('8080/tcp until 2036-01-01T00:00:00Z');
const NOTE = 'This kernel keeps no comments (xt_comment is missing): they are left out.';

function policyOf(openings: string) {
	return completePolicy({role: 'server', openings: parseOpenings(openings, OWN_SERVICES)});
}

function plan(policy: typeof COMMENTED, keeps = KEEPS_ALL) {
	return planFitted({policy, existing: KEEP_EXISTING, boot: 'none'}, FACTS, keeps);
}

test('comments are left out where the kernel cannot keep them, and that is among the advice', () => {
	const none = {...KEEPS_ALL, comments: false};
	expect(plan(COMMENTED).policy).toEqual(COMMENTED);
	expect(plan(COMMENTED).advice).not.toContain(NOTE);
	const fitted = plan(COMMENTED, none);
	expect(JSON.stringify(fitted.policy)).not.toContain('my own');
	expect(JSON.stringify(fitted.ruleSet)).not.toContain('my own');
	expect(fitted.policy.openings).toHaveLength(2);
	expect(fitted.advice).toContain(NOTE);
	expect(fitted.obstacle).toBeUndefined();
	// Nothing is said where there is nothing to leave out.
	expect(fitTo(ENDING, none)).toEqual({policy: ENDING, notes: []});
});

test('an end that the kernel cannot keep stands in the way of loading', () => {
	expect(plan(ENDING).obstacle).toBeUndefined();
	const {obstacle} = plan(ENDING, {...KEEPS_ALL, ends: false});
	expect(obstacle).toMatchObject({kind: 'unsupported'});
	expect(() => fitTo(ENDING, {...KEEPS_ALL, ends: false})).toThrow(
		'This kernel cannot end 8080/tcp by itself: xt_time is missing',
	);
});
