"""Secrets of many providers and tools in the texts that people paste, and what looks like one. The
values are made by secret_shapes.py; `{{` and `}}` do not occur, a brace that is no place is fine."""

import pathlib
import sys

import secret_shapes
from conftest import BIN, SOURCE

sys.path.append(str(SOURCE / "tests/eval"))

from router import Router  # noqa: E402

SECRET_TYPES = {"API_KEY", "ACCESS_TOKEN", "PRIVATE_KEY", "CONNECTION_STRING", "PASSWORD", "SECRET"}
CONFIDENCE = 0.5
DRAWS = 5  # values a text
RECALL_MIN = 0.99

# Keys that show by themselves what they are: alone in a sentence without a word that says so.
BARE = """
adafruit airtable age aliyun anthropic apr1 artifactory atlassian aws_id azure
bitbucket brevo buildkite cargo cerebras circleci clojars cloudflare_ca databricks deepl
digitalocean discord django docker doppler dropbox dynatrace e2b easypost elevenlabs facebook figma
firecrawl flutterwave fly gcp_oauth github github_pat gitlab gitlab_routable google google_access
google_refresh grafana groq heroku honeycomb hubspot huggingface jwt langfuse langsmith
launchdarkly ldap_ssha linear mailchimp mailgun mapbox mollie neon netlify newrelic notion npm nuget
nvidia openai openai_proj openrouter openshift packagist pem_dsa pem_ec pem_encrypted pem_json
pem_openssh pem_pgp pem_pkcs8 pem_rsa pem_ssh2 perplexity pinecone plaid planetscale postman prefect
pulumi putty pypi rapidapi razorpay readme replicate resend rubygems runpod salesforce scaleway segment
sendgrid sentry sha1_htpasswd sha512crypt shopify sk_hex32 slack_app slack_bot sonar stripe_live
stripe_webhook supabase tailscale telegram tencent terraform together trello twilio twitter_bearer
typeform vault voyage xai yandex yescrypt zhipu
""".split()
AROUND = (
    "I keep getting 401 when I send {}, what could be wrong?",
    "Please review this line:\n  client = connect(\"{}\")\nIt hangs.",
    "{}",
    "我用的是{}，为什么没有权限？",
)

# Values that only the words beside them tell.
BESIDE = r'''
export MISTRAL_API_KEY={alnum32}
COHERE_API_KEY="{alnum40}" python app.py
os.environ["TOGETHER_API_KEY"] = "{hex64}"
The Deepgram key is {hex40}, the project id is 12.
my assemblyai token: {hex32}
ALGOLIA_ADMIN_KEY={algolia}
heroku api key {apikey_uuid} stopped working
api_key = '{apikey_uuid}'
HEROKU_API_KEY={apikey_uuid}
client_secret: {apikey_uuid}
DATADOG_APP_KEY: {hex40}
WANDB_API_KEY={hex40}
<add key="ApiKey" value="{alnum32}" />
<password>{password}</password>
<property name="hibernate.connection.password">{password}</property>
"apiKey": "{alnum40}"
{ "private_key_id": "1", "private_key": "{pem_json}" }
{"web":{"client_id":"1.apps.example.com","client_secret":"{alnum32}"}}
{"installed": {"client_secret": "{gcp_oauth}", "redirect_uris": ["http://localhost"]}}
{"auths": {"registry.example.com": {"auth": "{docker_auth}"}}}
aws_secret_access_key = {aws_secret}
aws configure set aws_secret_access_key {aws_secret}
AWS_SESSION_TOKEN={b64_88}
SecretAccessKey: "{aws_secret}"
AZURE_STORAGE_KEY={b64_88}
DefaultEndpointsProtocol=https;AccountName=shop;AccountKey={b64_88};EndpointSuffix=core.example.net
Endpoint=sb://bus.example.net/;SharedAccessKeyName=Root;SharedAccessKey={b64_44}
https://shop.blob.example.net/c/f.zip?sv=2022-11-02&se=2031-01-01&sr=b&sp=r&sig={sas_signature}
Server=tcp:db.example.net,1433;Initial Catalog=shop;User ID=app;Password={password};Encrypt=True;
Data Source=db1;User Id=app;Pwd={password};
jdbc:mysql://db.example.com:3306/shop?user=app&password={password}
jdbc:oracle:thin:app/{password}@db.example.com:1521/orcl
host=db.example.com user=app password={password} dbname=shop
app:{password}@tcp(db.example.com:3306)/shop
postgresql://app:{password}@db.example.com/shop
mysql://root:{password}@10.0.0.4/shop
mongodb+srv://app:{password}@c0.example.net/?retryWrites=true
redis://:{password}@cache.example.com:6379/0
rediss://default:{alnum32}@cache.example.com:6380
amqps://app:{password}@mq.example.com/v
clickhouse://app:{password}@ch.example.com:9000/x
mssql+pyodbc://sa:{password}@sql.example.com/shop?driver=ODBC
smtp://bot:{password}@mail.example.com:587
ftp://web:{password}@files.example.com/pub
ldap://cn=admin:{password}@ldap.example.com
https://jo:{password}@git.example.com/team/repo.git
git clone https://oauth2:{gitlab}@gitlab.example.com/a/b.git
https://{alnum40}:x-oauth-basic@github.example.com/a/b
https://{hex32}@o1.ingest.sentry.example/42
https://hooks.slack.com/services/{slack_hook}
https://discord.com/api/webhooks/1234567890/{url_safe68}
https://outlook.webhook.office.com/webhookb2/{apikey_uuid}@{apikey_uuid}/IncomingWebhook/{hex32}/{apikey_uuid}
https://chat.googleapis.com/v1/spaces/AAA/messages?key=1&token={b64_43}
https://oapi.dingtalk.com/robot/send?access_token={hex64}
https://open.feishu.cn/open-apis/bot/v2/hook/{apikey_uuid}
https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={apikey_uuid}
https://api.telegram.org/bot{telegram}/getMe
machine git.example.com login jo password {password}
machine api.example.com
  login jo
  password {password_symbols}
db.example.com:5432:shop:app:{password}
localhost:5432:*:app:{password_symbols}
//registry.example.com/:_authToken={apikey_uuid}
//registry.npmjs.org/:_authToken={npm}
_auth={docker_auth}
[pypi]\nusername = __token__\npassword = {pypi}
jo:{apr1}
jo:{sha1_htpasswd}
root:{sha512crypt}:19000:0:99999:7:::
jo:{yescrypt}:19000:0:99999:7:::
apiVersion: v1\nkind: Secret\ndata:\n  password: {docker_auth}
kind: Secret\nmetadata:\n  name: db\ntype: Opaque\ndata:\n  db-user: YWRtaW4=\n  db-pass: {b64_44}
stringData:\n  password: {password_symbols}
kubectl create secret generic db --from-literal=password={password}
kubectl create secret generic db --from-literal=api-token={alnum32}
docker login -u jo -p {password} registry.example.com
docker run -e POSTGRES_PASSWORD={password_plain} postgres
curl -u jo:{password} https://api.example.com/v1
curl --user jo:{password_symbols} https://api.example.com/v1
curl -H "Authorization: Bearer {alnum40}" https://api.example.com
curl -H 'X-Api-Key: {hex32}' https://api.example.com
curl -H "Authorization: Token {hex40}" https://api.example.com
curl -H "Authorization: token {hex40}" https://api.example.com
curl -H "PRIVATE-TOKEN: {alnum20}" https://git.example.com
Authorization: Basic {basic}
Authorization: ApiKey {b64_44}
Authorization: {alnum40}
Proxy-Authorization: Basic {basic}
Authorization: AWS4-HMAC-SHA256 Credential=x/20310101/r/s3/aws4_request, Signature={hex64}
X-Vault-Token: {vault}
x-auth-token: {alnum32}
X-Amz-Security-Token: {b64_88}
Cookie: sessionid={session}; theme=dark
Cookie: PHPSESSID={session}
Set-Cookie: connect.sid=s%3A{alnum32}.{b64_43}; Path=/
Cookie: JSESSIONID={upper32}
cookie: auth_session={hex64}
csrftoken={alnum32}; sessionid={alnum32}
mysql -u root -p{password} shop
mysqldump --password={password_symbols} shop > x.sql
PGPASSWORD={password} psql -h db -U app shop
sshpass -p '{password}' ssh jo@10.0.0.3
redis-cli -h cache -a {password} ping
mongosh -u app -p {password} --authenticationDatabase admin
mongo --username app --password {password_symbols}
psql "host=db user=app password={password_plain}"
openssl pkcs12 -in a.p12 -passin pass:{password} -out a.pem
openssl enc -aes-256-cbc -k {password} -in a
net user jo {password_symbols} /add
az login --service-principal -u app -p {password} --tenant t
keytool -list -keystore a.jks -storepass {password}
smbclient //nas/share -U jo%{password}
wget --user=jo --password={password} https://files.example.com/a
ansible-playbook site.yml -e "ansible_become_pass={password}"
gpg --batch --passphrase {password_symbols} -d a.gpg
vault login {vault}
vault kv put secret/db password={password}
gh auth login --with-token {github}
helm upgrade app . --set auth.password={password} --set image.tag=1.2.3
terraform apply -var="db_password={password}"
echo {password} | sudo -S apt update
echo '{password_symbols}' | docker login -u jo --password-stdin
htpasswd -b .htpasswd jo {password}
$env:ADMIN_PASSWORD = "{password_symbols}"
ConvertTo-SecureString "{password_symbols}" -AsPlainText -Force
set PASSWORD={password_plain}
setx OPENAI_KEY "{alnum40}"
ENV JWT_SECRET={hex64}
SECRET_KEY_BASE={hex128}
APP_KEY={laravel}
SECRET_KEY = '{django}'
app.secret_key = b'{alnum32}'
const SESSION_SECRET = "{alnum40}";
encryption_key: {b64_44}
signing_secret={hex32}
webhook secret: {alnum32}
hmac key = {hex64}
PrivateKey = {b64_44}\nAddress = 10.2.0.2/32
PresharedKey = {b64_44}
psk="{password_symbols}"
WIFI:T:WPA;S:Cafe;P:{password_plain};;
network={ ssid="Cafe" psk="{password_plain}" }
spring.datasource.password={password}
db.password={password_plain}
database:\n  user: app\n  password: "{password}"
DATABASE_PASSWORD: '{password}'
pass = "{password_symbols}"
"pwd": "{password_plain}"
user: jo, pass: {password}
user jo / password {password}
username: jo\npassword: {password_plain}
login: jo@example.com / {password_symbols}
credentials are jo / {password_symbols}
jo@example.com:{password_symbols}
my router password is {password_plain}, how do I change it?
the root password on that box is still {password_symbols}
I set the password to {password_plain} yesterday
we changed the admin password from {password_plain} to {password_symbols}
use {password_symbols} as the password
The wifi is Cafe-5G and the key is {password_symbols}.
passphrase: {password_symbols}
Mein Passwort ist {password_plain}, warum wird es abgelehnt?
Das WLAN-Passwort lautet {password_plain}.
Passwort: {password_symbols}
Das Kennwort für den Server heißt {password_symbols}
Zugangsdaten: jo / {password_symbols}
mon mot de passe est {password_plain}
Mot de passe : {password_symbols}
le mot de passe du wifi, c'est {password_plain}
mi contraseña es {password_plain}, ¿es segura?
Contraseña: {password_symbols}
la clave del wifi es {password_plain}
minha senha é {password_plain}
Senha do banco: {password_symbols}
a senha é {password_symbols}
la mia password è {password_plain}
La parola d'ordine è {password_symbols}
mijn wachtwoord is {password_plain}
Wachtwoord: {password_symbols}
moje hasło to {password_plain}
Hasło: {password_symbols}
mitt lösenord är {password_plain}
Lösenord: {password_symbols}
min adgangskode er {password_plain}
passordet mitt er {password_plain}
salasanani on {password_plain}
moje heslo je {password_plain}
мой пароль {password_plain}, почему он не подходит?
Пароль: {password_symbols}
пароль от вайфая — {password_plain}
мій пароль {password_plain}
şifrem {password_plain}
Parola: {password_symbols}
パスワードは{password_plain}です
パスワード：{password_symbols}
Wi-Fiのパスワードが{password_plain}なんですけど
비밀번호는 {password_plain}입니다
비밀번호: {password_symbols}
와이파이 비번은 {password_plain} 이에요
كلمة المرور هي {password_plain}
كلمة السر: {password_symbols}
मेरा पासवर्ड {password_plain} है
पासवर्ड: {password_symbols}
mật khẩu của tôi là {password_plain}
kata sandi saya {password_plain}
密码：{password_symbols}
我的密码是{password_plain}，安全吗
密碼是{password_plain}
登录口令为{password_symbols}
WiFi密码{password_plain}
数据库的root密码改成了{password_symbols}
APIキーは{alnum40}です
API 키: {alnum40}
ключ API: {alnum40}
Mein API-Schlüssel lautet {alnum40}
clé API : {alnum40}
la clave de API es {alnum40}
chave de API: {alnum40}
chiave API: {alnum40}
klucz API: {alnum40}
otpauth://totp/Shop:jo@example.com?secret={base32_32}&issuer=Shop
my 2FA secret is {base32_16}
TOTP secret: {base32_32}
authenticator setup key {base32_spaced}
Here are my backup codes:\n{backup_code}\n{backup_code}\n{backup_code}
recovery codes: {backup_code_alnum}, {backup_code_alnum}, {backup_code_alnum}
my seed phrase is {seed12}
Recovery phrase: {seed24}
mnemonic="{seed12}"
助记词：{seed12}
wallet private key: 0x{hex64}
eth privkey {hex64}
recovery key: {b64_43}
access_token={url_safe68}
"refresh_token": "{url_safe68}"
id_token={jwt}
?token={hex40}&page=2
https://api.example.com/v1/data?api_key={alnum32}
https://api.example.com/v1/data?key={alnum40}
https://maps.example.com/js?key={google}
https://app.example.com/reset?token={hex64}
https://app.example.com/s?X-Amz-Credential=x&X-Amz-Signature={hex64}
https://storage.example.com/b/o?GoogleAccessId=a&Expires=1&Signature={b64_88}
TWILIO_AUTH_TOKEN={hex32}
account sid and auth token {hex32}
slack signing secret {hex32}
stripe secret {stripe_live}
Postmark server token {apikey_uuid}
X-Postmark-Server-Token: {apikey_uuid}
x-algolia-api-key: {hex32}
Ocp-Apim-Subscription-Key: {hex32}
X-Consul-Token: {apikey_uuid}
CONSUL_HTTP_TOKEN={apikey_uuid}
SPLUNK_HEC_TOKEN={apikey_uuid}
Authorization: Splunk {apikey_uuid}
Authorization: Bearer {apikey_uuid}
"password": "{password_symbols}",
PASSWORD='{password_symbols}'
IDENTIFIED BY '{password}'
CREATE USER app WITH PASSWORD '{password_symbols}';
ALTER USER app WITH ENCRYPTED PASSWORD '{password}';
requirepass {password_symbols}
auth = ("jo", "{password_symbols}")
requests.get(url, auth=('jo', '{password}'))
new MongoClient("mongodb://jo:{password}@db")
smtp.login("jo@example.com", "{password_symbols}")
sftp.connect(host, username="jo", password="{password}")
apikey {alnum32}
token {hex40} returns 403
bot token: {telegram}
secret = {b64_88}
-----BEGIN OpenVPN Static key V1-----\n{hex32}\n{hex32}\n{hex32}\n-----END OpenVPN Static key V1-----
'''.strip()

# Values and words that look like secrets and are none.
LOOKALIKES = r'''
commit {hex40}
git checkout {hex8}
fixed in {hex40}, reverted in {hex20}
sha256:{hex64}
image: nginx@sha256:{hex64}
sha256sum: {hex64}  file.tar.gz
md5 of the file: {hex32}
integrity sha512-{b64_88}
"integrity": "sha512-{b64_88}"
etag: "{hex32}"
request id {uuid}
trace_id={hex32} span_id={hex16}
uuid: {uuid}
user_id={uuid}
session id is a column name
correlation-id: {uuid}
order {uuid} failed
"id": "{uuid}"
"hash": "{hex64}"
checksum {hex64}
data:image/png;base64,{b64_88}
<img src="data:image/png;base64,{b64_88}{b64_88}" />
{ssh_public} jo@laptop
{certificate}
{pem_public}
pk_test is the prefix of test keys
publishable key {stripe_publishable} is public
api_key: YOUR_API_KEY
API_KEY=your-api-key-here
OPENAI_API_KEY=sk-...
OPENAI_API_KEY=sk-xxxxxxxxxxxxxxxxxxxxxxxx
GITHUB_TOKEN=ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
token: <token>
password: <password>
password: ${DB_PASSWORD}
password: "{{ vault_db_password }}"
password = os.getenv("DB_PASSWORD")
password: !vault
PASSWORD=$PASSWORD
PASSWORD=%PASSWORD%
password=$(cat /run/secrets/db)
secretKeyRef: {name: db, key: password}
secretName: tls-cert
--password-stdin
--password-file /run/secrets/db
api_key=process.env.API_KEY
apiKey: config.get('apiKey')
token = generate_token(32)
const token = await getToken();
token: string
password: str = Field(min_length=8)
"password": {"type": "string", "minLength": 12}
password varchar(255) not null
curl -u user:password https://api.example.com
curl -u "$USER:$PASS" https://api.example.com
curl -H "Authorization: Bearer $TOKEN" https://api.example.com
curl -H "Authorization: Bearer <token>" https://api.example.com
Authorization: Basic <credentials>
Authorization: Bearer
postgres://user:password@localhost:5432/db
postgres://${USER}:${PASS}@db/app
mongodb://<user>:<password>@db
jdbc:mysql://localhost:3306/shop
https://user@git.example.com/repo.git
https://example.com/articles/how-to-reset-your-password-2031
https://example.com/?utm_source=a&gclid={alnum40}
https://cdn.example.com/app.{hex20}.js
https://example.com/watch?v=dQw4w9WgXcQ
What makes a password strong?
A password should have 12 characters, upper and lower case.
How does bcrypt hash a password with SHA256?
Store the password with Argon2id or PBKDF2.
Is SHA512 safe for passwords?
My password is too long.
my password is not accepted
The password is wrong, says Windows11.
password policy of ISO27001
reset my password on iPhone15
I forgot my password for Outlook365.
The secret of good bread is time.
secret santa 2024 rules
The secret is patience123 they say? No, just patience.
token limit 128000
max_tokens=4096
tokens per second: 350
tokenizer.json
next_token: CAoQAA{alnum20}
page_token={alnum40}
cursor: {b64_44}
key: value
primary key id_12345678
the key takeaway is 42
keyboard shortcut: Ctrl+Shift+P
partition key user_{hex8}
cache key product:{hex16}
key = hash(url)
foreign key fk_order_2024_items
public key: {b64_44}
PublicKey = {b64_44}
ssh key fingerprint SHA256:{b64_43}
fingerprint {hex40}
serial number {hex20}
IMEI 490154203237518
MAC 00:1A:2B:3C:4D:5E
VIN 1HGCM82633A004352
version 2.14.0-rc.1+build.{hex8}
v1.0.0-20310101120000-{hex20}
npm install lodash@4.17.21
pip install torch==2.3.1+cu121
go.sum h1:{b64_44}
model claude-3-5-sonnet-20241022
model gpt-4o-2024-08-06
meta-llama/Llama-3.1-70B-Instruct
sk-learn is not a package, scikit-learn is
The hf_transfer package speeds it up
npm_config_registry
pat-down searches
AKIA is the prefix of AWS key ids
ghp_ tokens expire
eyJ is base64 of {"
key-value store
SK hynix HBM3E
AC adapters of 65W
dp.pt is a prefix
shadow file format: $6$salt$hash
$y$ is yescrypt
PIN codes have 4 digits
zip code 10115
pass: 12, fail: 3
pass rate 98.5 %
boarding pass 2B
login page v2
login at 10:45
credentials are stored in the vault
cookie: delicious chocolate chip 2
Cookie: theme=dark; lang=en
session: 2031-04-02 10:00
session 3 of 12
seed = 42
seed phrase words come from a list of 2048
mnemonic for the planets: my very educated mother just served us noodles
recovery time 12 months
backup codes are ten numbers
2FA is enabled
OTP expires in 300 seconds
auth = HTTPBasicAuth(user, password)
auth: none
Passwort vergessen, was nun?
Ein Passwort sollte 12 Zeichen haben.
Passwort muss SHA256 nutzen?
Mot de passe oublié
mot de passe de 12 caractères minimum
contraseña de 8 caracteres
la clave del éxito en 2024
senha com 8 caracteres
la parola chiave è pazienza
clave foránea en MySQL8
chiave primaria id_utente2
hasło musi mieć 8 znaków
пароль должен иметь 12 символов
парольная политика ISO27001
パスワードは8文字以上です
パスワードを忘れました。iPhone15です
비밀번호는 8자 이상이어야 합니다
كلمة المرور يجب أن تكون 8 أحرف
密码至少8位，包含大小写
密码错误，Windows11登不上
密码学中的RSA2048是什么
密钥长度为AES256
令牌桶算法QPS1000
WIFI:T:nopass;S:Cafe;;
WPA2 or WPA3?
The hash is {hex64}
block {hex64} was mined
tx 0x{hex64}
address 0x{hex40}
contract 0x{hex40} on Ethereum
token address 0x{hex40}
ERC20 token USDC
Bearer bonds of 1998
basic research2031
docker pull ghcr.io/a/b:{hex8}
arn:aws:iam::123456789012:role/deploy-role
s3://bucket/prod/2031/04/part-0001.parquet
projects/my-app-123/secrets/db-password/versions/3
vault kv get secret/db
kubectl get secret db -o yaml
kind: Secret
helm secrets edit values.yaml
secret/my-db created
'''.strip()


def entries(table):
    """One text a line; a line that starts with a blank goes on the text before it."""
    out = []
    for line in table.splitlines():
        if line.startswith(" "):
            out[-1] += "\n" + line
        else:
            out.append(line)
    return [text.replace("\\n", "\n") for text in out]


def drawn(texts):
    return [(text, *secret_shapes.fill(text, f"{n} {text}")) for text in texts for n in range(DRAWS)]


def found(answer):
    return [span for span in answer["spans"]
            if span["type"] in SECRET_TYPES and span["confidence"] >= CONFIDENCE]


def recall_of(rows):
    answers = Router(pathlib.Path(BIN)).classify("pii", [row[1] for row in rows])
    missed = [row[0] for row, answer in zip(rows, answers, strict=True)
              if not any(span["start"] < to and at < span["end"]
                         for span in found(answer) for at, to in row[2])]
    return 1 - len(missed) / len(rows), missed


def test_keys_with_a_shape_of_their_own_are_found():
    texts = [around.replace("{}", "{" + name + "}") for name in BARE for around in AROUND]
    recall, missed = recall_of(drawn(texts))
    assert recall >= RECALL_MIN, missed


def test_secrets_are_found_by_what_stands_beside_them():
    rows = drawn(entries(BESIDE))
    assert all(row[2] for row in rows)
    recall, missed = recall_of(rows)
    assert recall >= RECALL_MIN, missed


def test_what_looks_like_a_secret_is_left_alone():
    rows = drawn(entries(LOOKALIKES))
    answers = Router(pathlib.Path(BIN)).classify("pii", [row[1] for row in rows])
    wrong = {row[1]: spans for row, answer in zip(rows, answers, strict=True)
             if (spans := found(answer))}
    assert not wrong
