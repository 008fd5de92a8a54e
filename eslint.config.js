import { configs as lit } from 'eslint-plugin-lit';
import tseslint from 'typescript-eslint';

const NO_MARKUP = [
  {
    selector: "MemberExpression[property.name=/^(innerHTML|outerHTML|insertAdjacentHTML|setHTMLUnsafe)$/]",
    message: 'Names in a model file may be markup: let Lit bind them as text.',
  },
  {
    selector: "Identifier[name=/^(unsafeHTML|unsafeSVG|unsafeStatic)$/]",
    message: 'Names in a model file may be markup: let Lit bind them as text.',
  },
];

const NO_SKIPPING = ['object', 'object.object'].map((root) => ({
  // test.skip(...), and one level deeper: test.concurrent.skip(...)
  selector: `MemberExpression[property.name=/^(skip|only|todo|skipIf|runIf|fails)$/][${root}.name=/^(it|test|describe|suite)$/]`,
  message: 'Every test runs: one that cannot run must fail and say why.',
}));

export default tseslint.config(
  { ignores: ['dist/', '.cache/', 'node_modules/', 'models/'] },
  ...tseslint.configs.recommended,
  {
    rules: {
      eqeqeq: 'error',
      'no-eval': 'error',
      'no-new-func': 'error',
      'no-restricted-syntax': ['error', ...NO_MARKUP],
      'prefer-const': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  {
    files: ['src/**/*.ts', 'shaders/**/*.ts', 'viewer/**/*.ts'],
    ignores: ['src/node/**'],
    rules: { 'no-console': 'error' },
  },
  { files: ['viewer/**/*.ts'], ...lit['flat/recommended'] },
  { files: ['tests/**/*.ts'], rules: { 'no-restricted-syntax': ['error', ...NO_MARKUP, ...NO_SKIPPING] } },
  { files: ['**/*.cjs'], languageOptions: { globals: { module: 'writable' } } },
);
