import {quote} from '../../lib/shell-quote.ts';
import {IP_PROTOCOLS} from '../../policy/ip-protocols.ts';
import {OWN_SERVICES} from '../../policy/services.ts';
import type {Shell} from '../options/words.ts';
import type {Flag, Syntax, Value} from './command-tree.ts';

/** The words that an opening may begin with. Numbers of ports are too many to offer. */
const OPENING_STARTS = [
	'mdns',
	'ssdp',
	...IP_PROTOCOLS.map(({name}) => name),
	...OWN_SERVICES.keys(),
];

/**
 * The completion script of a shell, made from the tree that the program reads its arguments with. The
 * script contains all words that it offers, and never evaluates what the user types.
 */
export function printCompletion(shell: Shell, syntax: Syntax): string {
	switch (shell) {
		case 'bash':
			return bash(syntax);
		case 'zsh':
			return zsh(syntax);
		case 'fish':
			return fish(syntax);
	}
}

function bash(root: Syntax): string {
	const all = [root, ...root.commands];
	const values = new Map(all.flatMap(({flags}) => flags.map(({name, value}) => [name, value])));
	const cases = [...values].flatMap(([name, value]) =>
		value === undefined ? [] : [`	${name}) ${bashValue(value)} ;;`],
	);
	const words = all.map((command) => {
		const own =
			command === root ? root.commands.map(({name}) => name) : argumentWords(command.argument);
		const flags = command.flags.map(({name}) => name);
		return `	${command === root ? "''" : command.name}) words='${own.join(' ')}' flags='${flags.join(' ')}' ;;`;
	});
	return `# Completion of fw-wizard for bash 4 or newer. For this shell: source <(fw-wizard completion bash)
# For all: fw-wizard completion bash > /etc/bash_completion.d/fw-wizard
_fw_wizard() {
	local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command='' words='' flags='' word
	# bash splits --role=server into three words.
	if [[ $current == '=' ]]; then
		current=''
	elif [[ $previous == '=' ]]; then
		previous=\${COMP_WORDS[COMP_CWORD-2]}
	fi
	COMPREPLY=()
	case $previous in
${cases.join('\n')}
	esac
	for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		case $word in
		-*) ;;
		${root.commands.map(({name}) => name).join('|')}) command=$word; break ;;
		*) break ;;
		esac
	done
	case $command in
${words.join('\n')}
	esac
	[[ $current == -* || -z $words ]] && words=$flags
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _fw_wizard fw-wizard
`;
}

function bashValue(value: Value): string {
	switch (value) {
		case 'file':
			return 'compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current"); return';
		case 'text':
			return 'return';
		default:
			return `mapfile -t COMPREPLY < <(compgen -W '${wordsOf(value)}' -- "$current"); return`;
	}
}

function zsh(root: Syntax): string {
	const cases = root.commands.map(({name, flags, argument}) => {
		const words = argumentWords(argument);
		const place =
			words.length > 0
				? [`'${argument?.name.includes('...') ? '*' : '1'}: :(${words.join(' ')})'`]
				: [];
		return `		${name}) _arguments ${[...flags.map(zshFlag), ...place].join(' \\\n\t\t\t')} ;;`;
	});
	const names = root.commands.map(({name, description}) => quote(`${name}:${description}`));
	return `#compdef fw-wizard
# Completion of fw-wizard for zsh. For this shell: source <(fw-wizard completion zsh)
# For all: fw-wizard completion zsh > /usr/local/share/zsh/site-functions/_fw-wizard
_fw_wizard() {
	local curcontext=$curcontext state line
	local -a names
	names=(
		${names.join('\n\t\t')}
	)
	_arguments -C \\
		${root.flags.map(zshFlag).join(' \\\n\t\t')} \\
		'1: :->name' \\
		'*:: :->rest'
	case $state in
	name) _describe command names ;;
	rest)
		case $line[1] in
${cases.join('\n')}
		esac ;;
	esac
}
if [[ $funcstack[1] == _fw-wizard ]]; then
	_fw_wizard "$@"
else
	compdef _fw_wizard fw-wizard
fi
`;
}

function zshFlag({name, value, description}: Flag): string {
	const about = `[${description.replace(/[[\]\\:]/g, '\\$&')}]`;
	switch (value) {
		case undefined:
			return quote(`${name}${about}`);
		case 'file':
			return quote(`*${name}=${about}:file:_files`);
		case 'text':
			return quote(`*${name}=${about}:value: `);
		default:
			return quote(`*${name}=${about}:value:(${wordsOf(value)})`);
	}
}

function fish(root: Syntax): string {
	const none = '__fish_use_subcommand';
	const lines = [root, ...root.commands].flatMap((command) => {
		const when = command === root ? none : `__fish_seen_subcommand_from ${command.name}`;
		const words = argumentWords(command.argument);
		return [
			...(words.length > 0 ? [`complete -c fw-wizard -n '${when}' -a '${words.join(' ')}'`] : []),
			...command.flags.map((flag) => fishFlag(when, flag)),
		];
	});
	const names = root.commands.map(
		({name, description}) =>
			`complete -c fw-wizard -n '${none}' -a ${name} -d ${fishQuote(description)}`,
	);
	return `# Completion of fw-wizard for fish. For this shell: fw-wizard completion fish | source
# For all: fw-wizard completion fish > /etc/fish/completions/fw-wizard.fish
complete -c fw-wizard -f
${[...names, ...lines].join('\n')}
`;
}

function fishFlag(when: string, {name, value, description}: Flag): string {
	const takes =
		value === undefined
			? ''
			: value === 'file'
				? ' -r -F'
				: value === 'text'
					? ' -x'
					: ` -x -a '${wordsOf(value)}'`;
	return `complete -c fw-wizard -n '${when}' -l ${name.slice(2)}${takes} -d ${fishQuote(description)}`;
}

/** The words that a shell offers for the argument of a command. */
function argumentWords(argument: Syntax['argument']): readonly string[] {
	return argument?.name === '<opening...>' ? OPENING_STARTS : (argument?.words ?? []);
}

/** The words that a shell offers for a value. */
function wordsOf(value: Exclude<Value, 'file' | 'text'>): string {
	return (value === 'opening' ? OPENING_STARTS : value).join(' ');
}

/** One word of fish, in whose single quotes a backslash escapes a backslash, unlike in POSIX. */
function fishQuote(text: string): string {
	return quote(text.replaceAll('\\', '\\\\'));
}
