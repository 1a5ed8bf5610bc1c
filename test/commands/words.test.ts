import {Command, CommanderError} from 'commander';
import {describe, expect, it} from 'vitest';
import {repeatable, SHELLS, wordArgument, wordOption} from '../../source/commands/options/words.ts';
import {HELPER_NAMES} from '../../source/policy/helpers.ts';
import {VERDICTS} from '../../source/policy/policy.ts';

/** What commander reads, or the error that it throws. */
function parse(...args: readonly string[]): {flags: Record<string, unknown>; word: unknown} {
	const command = new Command()
		.exitOverride()
		.configureOutput({outputError: () => {}})
		.addOption(wordOption('--verdict <verdict>', '', VERDICTS))
		.addOption(repeatable(wordOption('--helper <name>', '', HELPER_NAMES)))
		.option('--no-helper')
		.addArgument(wordArgument('[shell]', '', SHELLS))
		.parse(args, {from: 'user'});
	const {helper, ...flags} = command.opts();
	return {flags: {...flags, ...(helper === true ? {} : {helper})}, word: command.processedArgs[0]};
}

function errorOf(...args: readonly string[]): string {
	try {
		parse(...args);
	} catch (error) {
		return error instanceof CommanderError ? error.message : `${error}`;
	}

	return 'no error';
}

describe('an option or an argument that takes words', () => {
	it('takes each word in any case', () => {
		for (const word of VERDICTS) {
			expect(parse('--verdict', word.toUpperCase()).flags).toEqual({verdict: word});
		}

		expect(parse('--helper', 'Netbios-NS', 'ZSH')).toEqual({
			flags: {helper: ['netbios-ns']},
			word: 'zsh',
		});
	});

	it.each(['', 'rejec', 'reject ', 'reject,drop', '\u001B[2J', 'constructor'])(
		'refuses %j and lists the words',
		(word) => {
			expect(errorOf('--verdict', word)).toContain('Allowed choices are reject, reset, drop.');
			expect(errorOf(`--helper=${word}`)).toContain('Allowed choices are ftp, ');
			expect(errorOf(word)).toContain('Allowed choices are bash, zsh, fish.');
		},
	);
});

describe('a repeatable option', () => {
	it('gives the list of all words, from the last --no- on', () => {
		expect(parse().flags).toEqual({});
		expect(parse('--helper', 'ftp', '--helper', 'SIP').flags).toEqual({helper: ['ftp', 'sip']});
		expect(parse('--helper', 'ftp', '--no-helper').flags).toEqual({helper: false});
		expect(parse('--no-helper', '--helper', 'ftp').flags).toEqual({helper: ['ftp']});
	});
});
