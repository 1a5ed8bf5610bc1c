import {INSTALLED_COMMAND, INSTALLED_DIR, INSTALLED_MARK} from '../host/exec/installed.ts';
import {quote} from '../lib/shell-quote.ts';

/**
 * What root runs on a server to keep the program there, and the words that run it from there. A command of another
 * kind by that name (of `npm install -g`) stays.
 * @param folder where the program was brought
 * @param node runs it; undefined for the stand-alone binary
 */
export function installScript(
	folder: string,
	node: string | undefined,
): {readonly lines: readonly string[]; readonly words: readonly string[]} {
	const brought = node === `${folder}/node`;
	const file = `${INSTALLED_DIR}/cli.js`;
	const words = node === undefined ? [file] : [brought ? `${INSTALLED_DIR}/node` : node, file];
	const command = ['#!/bin/sh', INSTALLED_MARK, `exec ${words.join(' ')} "$@"`];
	const [next, fail] = [`${INSTALLED_DIR}.new`, 'exit 3; }'];
	return {
		words,
		lines: [
			`if [ -e ${INSTALLED_COMMAND} ] && ! grep -qxF ${quote(INSTALLED_MARK)} ${INSTALLED_COMMAND}; then`,
			`	echo 'fw-wizard: ${INSTALLED_COMMAND} is another program, which stays' >&2`,
			"	echo 'Remove it first, or run fw-wizard without --install' >&2",
			'	exit 3',
			'fi',
			'umask 022',
			`rm -rf ${next} && mkdir -p ${next} ${INSTALLED_COMMAND.replace(/\/[^/]+$/, '')} || { ${fail}`,
			`cp ${folder}/cli.js ${folder}/package.json ${brought ? `${folder}/node ` : ''}${next}/ || { rm -rf ${next}; ${fail}`,
			`chown -R 0:0 ${next} && chmod -R u=rwX,go=rX ${next} || { ${fail}`,
			`rm -rf ${INSTALLED_DIR} && mv ${next} ${INSTALLED_DIR} || { ${fail}`,
			`printf '%s\\n' ${command.map(quote).join(' ')} >${INSTALLED_COMMAND}.new && chmod 755 ${INSTALLED_COMMAND}.new && mv ${INSTALLED_COMMAND}.new ${INSTALLED_COMMAND} || { ${fail}`,
		],
	};
}
