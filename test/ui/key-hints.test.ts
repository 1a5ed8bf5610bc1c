import {expect, test} from 'vitest';
import {OWN_SERVICES} from '../../source/policy/services.ts';
import {keyLine} from '../../source/ui/keys/format-key-hints.ts';
import {KEYS, keysOf, moreKeysOf, PLAIN_PLACE} from '../../source/ui/keys/key-hints.ts';
import {type Flow, type Step, startFlow} from '../../source/ui/state/state.ts';

function at(step: Step, change: Partial<Flow> = {}): Flow {
	return {...startFlow({role: 'server'}, ['server'], OWN_SERVICES), step, ...change};
}

test('on 60 columns every step still says how to go on', () => {
	for (const [step, keys] of Object.entries(KEYS)) {
		expect(keyLine(keys, 59), step).toMatch(/Enter (?:go on|choose|add|leave)/);
	}
});

test('a list is spoken of only where there is one', () => {
	const policy = {...at('ports').policy, openings: []};
	expect(keysOf(at('ports', {focus: -1, policy}))).not.toContain('Down list');
	expect(keysOf(at('ports', {focus: -1}))).toContain('Down list');
	expect(keysOf(at('ports', {focus: -1}))).not.toContain('Del');
	expect(keysOf(at('ports', {focus: 0}))).toContain('Del remove');
});

test('where a word must be typed there is nothing to move to or to choose', () => {
	const shut = keysOf(at('apply'), {...PLAIN_PLACE, shut: true});
	expect(shut).toBe('o open it  Esc back  Ctrl-C leave');
	expect(keysOf(at('review'), {...PLAIN_PLACE, shut: true})).toMatch(/^o open it {2}Enter go on/);
	expect(keysOf(at('apply'), {...PLAIN_PLACE, blocked: true})).toBe('Esc back  Ctrl-C leave');
});

test('the checklist has the keys that do something', () => {
	const outcome = {ok: true, message: 'Loaded.'} as const;
	const kept = at('result', {outcome});
	expect(keysOf(kept)).not.toContain('f mend');
	expect(keysOf(kept, {...PLAIN_PLACE, mendable: true})).toContain('f mend');
	// Letters are those of the word for a reboot.
	expect(keysOf(kept, {...PLAIN_PLACE, ready: true})).toBe('Enter leave  Up/Down read');
	expect(keysOf(at('result'))).toContain('Esc to the wizard');
	expect(moreKeysOf(kept)).toContain('PgUp/PgDn');
});

test('where it must be waited for there are none', () => {
	expect(keysOf(at('apply', {applying: {phase: 'loading'}}))).toBe('');
	expect(keysOf(at('apply', {applying: {phase: 'deciding'}}))).toBe('');
});
